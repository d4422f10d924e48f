-- Ends a session, and another of the same user along with it (:other_session_id may be NULL). No
-- row, and nothing ended, where the first is dead already.
--
-- parameters: user_id uuid, session_id uuid, other_session_id uuid, client text
-- row: user_pk bigint
WITH held AS MATERIALIZED (
	SELECT user_pk FROM living_sessions WHERE user_id = :user_id AND session_id = :session_id
	FOR NO KEY UPDATE
), ended AS (
	DELETE FROM sessions USING held
	WHERE sessions.user_pk = held.user_pk AND sessions.id IN (:session_id, :other_session_id)
	RETURNING sessions.user_pk, sessions.id
), noted AS (
	INSERT INTO events (kind, user_pk, session_id, client)
	SELECT 'logged_out', user_pk, id, :client FROM ended
)
SELECT user_pk FROM ended WHERE id = :session_id
