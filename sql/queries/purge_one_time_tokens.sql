-- parameters: count bigint, after bigint
-- row: purged bigint, reached bigint
WITH expired AS (
	SELECT digest, expires_at FROM one_time_tokens WHERE expires_at <= now()
		AND expires_at >= 'epoch'::timestamptz + :after * interval '1 microsecond'
	ORDER BY expires_at LIMIT :count FOR UPDATE SKIP LOCKED
), purged AS (
	DELETE FROM one_time_tokens USING expired WHERE one_time_tokens.digest = expired.digest
	RETURNING 1
)
SELECT (SELECT count(*) FROM purged) AS purged,
	COALESCE((SELECT EXTRACT(epoch FROM max(expires_at)) * 1000000 FROM expired), 0)::bigint AS reached
