-- $1 uuid user_id, $2 uuid session_id
-- bigint pk, uuid id, text email, text username, text full_name, text first_name, text last_name,
-- boolean verified, bigint created_at
--
-- The user of a living session.
SELECT pk, users.id, email, username, full_name, first_name, last_name,
	email_verified_at IS NOT NULL AS verified,
	floor(EXTRACT(epoch FROM users.created_at))::bigint AS created_at
FROM users JOIN sessions ON sessions.user_pk = users.pk
WHERE users.id = $1 AND sessions.id = $2 AND expires_at > now() AND disabled_at IS NULL
