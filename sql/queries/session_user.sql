-- The user of a living session.
--
-- parameters: user_id uuid, session_id uuid
-- row: pk bigint, id uuid, email text, username text, full_name text, first_name text,
--     last_name text, verified boolean, created_at bigint
SELECT user_pk AS pk, user_id AS id, email, username, full_name, first_name, last_name,
	email_verified_at IS NOT NULL AS verified,
	floor(EXTRACT(epoch FROM user_created_at))::bigint AS created_at
FROM living_sessions WHERE user_id = :user_id AND session_id = :session_id
