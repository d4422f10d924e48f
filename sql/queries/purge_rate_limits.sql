-- $1 bigint count, $2 bigint after
-- bigint purged, bigint reached
WITH expired AS (
	SELECT key, expires_at FROM rate_limits WHERE expires_at <= now()
		AND expires_at >= 'epoch'::timestamptz + $2::bigint * interval '1 microsecond'
	ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
), purged AS (
	DELETE FROM rate_limits USING expired WHERE rate_limits.key = expired.key
	RETURNING 1
)
SELECT (SELECT count(*) FROM purged) AS purged,
	COALESCE((SELECT EXTRACT(epoch FROM max(expires_at)) * 1000000 FROM expired), 0)::bigint AS reached
