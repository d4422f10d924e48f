-- So many pages of the table, from a page on (counted beyond the end, from the first again);
-- reached is the next one, and 0 where that was the end. steps is how many calls like this one the
-- whole table takes. Rows that a try has locked are left alone: tries lock in another order.
--
-- parameters: count bigint, after bigint
-- row: purged bigint, reached bigint, steps bigint
WITH pages AS MATERIALIZED (
	SELECT :after % GREATEST(total, 1) AS first, :after % GREATEST(total, 1) + :count AS next, total
	FROM (SELECT pg_relation_size('rate_limits')
		/ current_setting('block_size')::bigint AS total) AS size
), expired AS MATERIALIZED (
	SELECT ctid FROM rate_limits
	WHERE ctid >= (SELECT format('(%s,0)', first)::tid FROM pages)
		AND ctid < (SELECT format('(%s,0)', next)::tid FROM pages)
		AND busy_until <= (EXTRACT(epoch FROM now()) * 1000000)::bigint
	FOR UPDATE SKIP LOCKED
), purged AS (
	DELETE FROM rate_limits WHERE ctid = ANY (ARRAY(SELECT ctid FROM expired))
	RETURNING 1
)
SELECT (SELECT count(*) FROM purged) AS purged,
	CASE WHEN next < total THEN next ELSE 0 END AS reached,
	total / :count + 1 AS steps
FROM pages
