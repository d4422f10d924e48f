-- $1 bigint user_pk, $2 uuid session_id, $3 text client
--
-- A refresh token that had been replaced came again: whoever has the session loses it.
WITH ended AS (
	DELETE FROM sessions WHERE user_pk = $1 AND id = $2
	RETURNING user_pk, id
)
INSERT INTO events (kind, user_pk, session_id, client)
SELECT 'refresh_token_reused', user_pk, id, $3 FROM ended
