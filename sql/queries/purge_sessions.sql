-- $1 bigint count
-- bigint purged
--
-- One small batch, so that nobody waits for a lock or a long transaction.
WITH expired AS (
	SELECT user_pk, id FROM sessions WHERE expires_at <= now()
	ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
), purged AS (
	DELETE FROM sessions USING expired
	WHERE sessions.user_pk = expired.user_pk AND sessions.id = expired.id
	RETURNING 1
)
SELECT count(*) AS purged FROM purged
