-- $1 uuid user_id, $2 uuid session_id, $3 uuid other_session_id, $4 text client
-- bigint user_pk
--
-- Ends a session, and another of the same user along with it ($3 may be NULL). No row, and
-- nothing ended, where the first is dead already.
WITH held AS MATERIALIZED (
	SELECT user_pk FROM living_sessions WHERE user_id = $1 AND session_id = $2
	FOR NO KEY UPDATE
), ended AS (
	DELETE FROM sessions USING held
	WHERE sessions.user_pk = held.user_pk AND sessions.id IN ($2, $3)
	RETURNING sessions.user_pk, sessions.id
), noted AS (
	INSERT INTO events (kind, user_pk, session_id, client)
	SELECT 'logged_out', user_pk, id, $4 FROM ended
)
SELECT user_pk FROM ended WHERE id = $2
