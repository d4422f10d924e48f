-- The account, its verification mail (unless the budget of mails is spent), its first session
-- (where :session_id is given) and the event are there together or not at all. A taken username
-- is a conflict. pk is NULL where the e-mail is taken; its owner gets a mail that says so instead
-- where the answer must not tell (:hide). Then a taken username is looked for first, for an answer
-- that told of it with a free e-mail alone would tell of the e-mail. A username that is the e-mail
-- itself is taken by nobody else.
--
-- parameters: email text, username text, full_name text, first_name text, last_name text,
--     password_hash text, session_id uuid, session_lifetime bigint, token_digest bytea,
--     token_lifetime bigint, sealed_token text, limits text, session_idle bigint, client text,
--     hide boolean
-- row: pk bigint, id uuid, created_at bigint, session_expires_at bigint, spent boolean,
--     username_taken boolean
-- conflict: users_username
WITH names AS MATERIALIZED (
	SELECT :hide AND lower(:username) <> lower(:email) AND EXISTS (SELECT FROM users
		WHERE lower(username COLLATE "C") = lower(:username COLLATE "C")) AS taken
), account AS (
	INSERT INTO users (email, username, full_name, first_name, last_name, password_hash)
	SELECT :email, :username, :full_name, :first_name, :last_name, :password_hash
	FROM names WHERE taken IS NOT TRUE
	ON CONFLICT (lower(email COLLATE "C")) DO NOTHING
	RETURNING pk, id, created_at, credential_version
), opened AS (
	INSERT INTO sessions (user_pk, id, credential_version, expires_at, idle_until, purge_at)
	SELECT pk, :session_id, credential_version, now() + make_interval(secs => :session_lifetime),
		session_idle_until(:session_idle), session_purge_at(:session_idle)
	FROM account
	WHERE :session_id IS NOT NULL
	RETURNING expires_at
), mail AS MATERIALIZED (
	SELECT CASE WHEN pk IS NULL THEN 'known' ELSE 'verify' END AS letter
	FROM names LEFT JOIN account ON true
	WHERE pk IS NOT NULL OR (:hide AND taken IS NOT TRUE)
), budget AS MATERIALIZED (
	SELECT letter, spent FROM mail, LATERAL (
		SELECT spent FROM rate_limits_take(:limits, lower(:email COLLATE "C"), false, now())
		WHERE letter IS NOT NULL) AS attempt
), posted AS (
	INSERT INTO outbox (letter, recipient, sealed_token, token_digest, token_expires_at)
	SELECT letter, :email, :sealed_token, :token_digest,
		now() + make_interval(secs => :token_lifetime)
	FROM budget WHERE NOT spent
), noted AS (
	INSERT INTO events (kind, user_pk, session_id, client)
	SELECT 'registered', pk, :session_id, :client FROM account
	UNION ALL
	SELECT 'registered_again', (SELECT pk FROM users
		WHERE lower(email COLLATE "C") = lower(:email COLLATE "C")), NULL, :client
	FROM mail WHERE letter = 'known'
)
SELECT pk, id, floor(EXTRACT(epoch FROM created_at))::bigint AS created_at,
	(SELECT floor(EXTRACT(epoch FROM expires_at))::bigint FROM opened) AS session_expires_at,
	(SELECT spent FROM budget) AS spent, taken AS username_taken
FROM names LEFT JOIN account ON true
