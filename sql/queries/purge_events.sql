-- $1 bigint count, $2 bigint retention
-- bigint purged
WITH expired AS (
	SELECT pk FROM events WHERE at <= now() - make_interval(secs => $2::bigint)
	ORDER BY at LIMIT $1 FOR UPDATE SKIP LOCKED
), purged AS (
	DELETE FROM events USING expired WHERE events.pk = expired.pk
	RETURNING 1
)
SELECT count(*) AS purged FROM purged
