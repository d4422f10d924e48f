-- A refresh token that had been replaced came again: whoever has the session loses it.
--
-- parameters: user_pk bigint, session_id uuid, client text
WITH ended AS (
	DELETE FROM sessions WHERE user_pk = :user_pk AND id = :session_id
	RETURNING user_pk, id
)
INSERT INTO events (kind, user_pk, session_id, client)
SELECT 'refresh_token_reused', user_pk, id, :client FROM ended
