-- $1 uuid user_id, $2 uuid session_id
-- bigint pk, uuid id, text email, text username, text full_name, text first_name, text last_name,
-- boolean verified, bigint created_at
--
-- The user of a living session.
SELECT user_pk AS pk, user_id AS id, email, username, full_name, first_name, last_name,
	email_verified_at IS NOT NULL AS verified,
	floor(EXTRACT(epoch FROM user_created_at))::bigint AS created_at
FROM living_sessions WHERE user_id = $1 AND session_id = $2
