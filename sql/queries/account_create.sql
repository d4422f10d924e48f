-- $1 text email, $2 text username, $3 text full_name, $4 text first_name, $5 text last_name,
-- $6 text password_hash, $7 uuid session_id, $8 bigint session_lifetime, $9 bytea token_digest,
-- $10 bigint token_lifetime, $11 text sealed_token, $12 text limits, $13 bigint session_idle,
-- $14 text client
-- bigint pk, uuid id, bigint created_at, bigint session_expires_at, boolean spent
--
-- The account, its verification mail (unless the budget of mails is spent), its first session
-- (where $7 is given) and the event are there together or not at all. A taken e-mail or username
-- is a conflict.
WITH account AS (
	INSERT INTO users (email, username, full_name, first_name, last_name, password_hash)
	VALUES ($1, $2, $3, $4, $5, $6)
	RETURNING pk, id, created_at, credential_version
), opened AS (
	INSERT INTO sessions (user_pk, id, credential_version, expires_at, idle_until, purge_at)
	SELECT pk, $7::uuid, credential_version, now() + make_interval(secs => $8::bigint),
		session_idle_until($13), session_purge_at($13)
	FROM account
	WHERE $7::uuid IS NOT NULL
	RETURNING expires_at
), budget AS MATERIALIZED (
	SELECT pk, spent FROM account, rate_limits_take($12, lower($1 COLLATE "C"), false, now())
), made AS (
	INSERT INTO one_time_tokens (digest, user_pk, purpose, expires_at)
	SELECT $9, pk, 'verify', now() + make_interval(secs => $10::bigint) FROM budget
	WHERE NOT spent
), posted AS (
	INSERT INTO outbox (letter, recipient, full_name, sealed_token)
	SELECT 'verify', $1, $3, $11 FROM budget WHERE NOT spent
), noted AS (
	INSERT INTO events (kind, user_pk, session_id, client)
	SELECT 'registered', pk, $7, $14 FROM account
)
SELECT pk, id, floor(EXTRACT(epoch FROM created_at))::bigint AS created_at,
	(SELECT floor(EXTRACT(epoch FROM expires_at))::bigint FROM opened) AS session_expires_at,
	(SELECT spent FROM budget) AS spent
FROM account
