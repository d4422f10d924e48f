-- $1 text email, $2 text username, $3 text full_name, $4 text first_name, $5 text last_name,
-- $6 text password_hash, $7 uuid session_id, $8 bigint session_lifetime, $9 bytea token_digest,
-- $10 bigint token_lifetime, $11 text sealed_token, $12 text limits, $13 bigint session_idle,
-- $14 text client, $15 boolean hide
-- bigint pk, uuid id, bigint created_at, bigint session_expires_at, boolean spent
--
-- The account, its verification mail (unless the budget of mails is spent), its first session
-- (where $7 is given) and the event are there together or not at all. A taken username is a
-- conflict. pk is NULL where the e-mail is taken; its owner gets a mail that says so instead where
-- the answer must not tell ($15).
WITH account AS (
	INSERT INTO users (email, username, full_name, first_name, last_name, password_hash)
	VALUES ($1, $2, $3, $4, $5, $6)
	ON CONFLICT (lower(email COLLATE "C")) DO NOTHING
	RETURNING pk, id, created_at, credential_version
), opened AS (
	INSERT INTO sessions (user_pk, id, credential_version, expires_at, idle_until, purge_at)
	SELECT pk, $7::uuid, credential_version, now() + make_interval(secs => $8::bigint),
		session_idle_until($13), session_purge_at($13)
	FROM account
	WHERE $7::uuid IS NOT NULL
	RETURNING expires_at
), mail AS MATERIALIZED (
	SELECT CASE WHEN pk IS NULL THEN 'known' ELSE 'verify' END AS letter
	FROM (VALUES (1)) AS one LEFT JOIN account ON true
	WHERE pk IS NOT NULL OR $15
), budget AS MATERIALIZED (
	SELECT letter, spent FROM mail, LATERAL (
		SELECT spent FROM rate_limits_take($12, lower($1 COLLATE "C"), false, now())
		WHERE letter IS NOT NULL) AS attempt
), posted AS (
	INSERT INTO outbox (letter, recipient, sealed_token, token_digest, token_expires_at, requested_from)
	SELECT letter, $1, $11, $9, now() + make_interval(secs => $10::bigint),
		CASE letter WHEN 'known' THEN $14 END
	FROM budget WHERE NOT spent
), noted AS (
	INSERT INTO events (kind, user_pk, session_id, client)
	SELECT 'registered', pk, $7, $14 FROM account
)
SELECT pk, id, floor(EXTRACT(epoch FROM created_at))::bigint AS created_at,
	(SELECT floor(EXTRACT(epoch FROM expires_at))::bigint FROM opened) AS session_expires_at,
	(SELECT spent FROM budget) AS spent
FROM (VALUES (1)) AS one LEFT JOIN account ON true
