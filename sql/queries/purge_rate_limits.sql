-- $1 bigint count
-- bigint purged
WITH expired AS (
	SELECT key FROM rate_limits WHERE expires_at <= now()
	ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
), purged AS (
	DELETE FROM rate_limits USING expired WHERE rate_limits.key = expired.key
	RETURNING 1
)
SELECT count(*) AS purged FROM purged
