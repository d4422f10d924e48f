-- One small batch, so that nobody waits for a lock or a long transaction. It begins where the one
-- before has reached (microseconds since 1970): until they are vacuumed, the index still has the
-- entries of rows that are gone, and to walk over a million of them takes ten milliseconds.
--
-- parameters: count bigint, after bigint
-- row: purged bigint, reached bigint
WITH expired AS (
	SELECT user_pk, id, LEAST(expires_at, purge_at) AS ended_at FROM sessions
	WHERE LEAST(expires_at, purge_at) <= now() AND LEAST(expires_at, purge_at)
		>= 'epoch'::timestamptz + :after * interval '1 microsecond'
	ORDER BY LEAST(expires_at, purge_at) LIMIT :count FOR UPDATE SKIP LOCKED
), purged AS (
	DELETE FROM sessions USING expired
	WHERE sessions.user_pk = expired.user_pk AND sessions.id = expired.id
	RETURNING 1
)
SELECT (SELECT count(*) FROM purged) AS purged,
	COALESCE((SELECT EXTRACT(epoch FROM max(ended_at)) * 1000000 FROM expired), 0)::bigint AS reached
