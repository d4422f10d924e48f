-- $1 uuid user_id, $2 uuid session_id, $3 uuid other_session_id, $4 text client
-- bigint user_pk
--
-- Ends a session, and another of the same user along with it ($3 may be NULL). No row, and
-- nothing ended, where the first is dead already.
WITH alive AS (
	SELECT user_pk FROM users JOIN sessions ON sessions.user_pk = users.pk
	WHERE users.id = $1 AND sessions.id = $2 AND expires_at > now() AND disabled_at IS NULL
), ended AS (
	DELETE FROM sessions USING alive
	WHERE sessions.user_pk = alive.user_pk AND sessions.id IN ($2, $3)
	RETURNING sessions.user_pk, sessions.id
), noted AS (
	INSERT INTO events (kind, user_pk, session_id, client)
	SELECT 'logged_out', user_pk, id, $4 FROM ended
)
SELECT user_pk FROM ended WHERE id = $2
