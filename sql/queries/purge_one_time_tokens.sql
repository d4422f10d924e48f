-- $1 bigint count
-- bigint purged
WITH expired AS (
	SELECT digest FROM one_time_tokens WHERE expires_at <= now()
	ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
), purged AS (
	DELETE FROM one_time_tokens USING expired WHERE one_time_tokens.digest = expired.digest
	RETURNING 1
)
SELECT count(*) AS purged FROM purged
