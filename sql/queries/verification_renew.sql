-- $1 text limits, $2 text email, $3 bytea digest, $4 bigint token_lifetime, $5 text sealed_token,
-- $6 text client
-- bigint wait, boolean spent
--
-- Another verification mail, where there is an account that needs one. The event is written in each
-- case: who asks cannot tell them apart. Nothing is written where the budget of mails is spent.
WITH attempt AS MATERIALIZED (
	SELECT wait, spent FROM rate_limits_take($1, $2, false, now())
), account AS MATERIALIZED (
	SELECT pk, email, full_name FROM users, attempt
	WHERE lower(email COLLATE "C") = $2 AND email_verified_at IS NULL AND disabled_at IS NULL
		AND wait = 0 AND NOT spent
), made AS (
	INSERT INTO one_time_tokens (digest, user_pk, purpose, expires_at)
	SELECT $3, pk, 'verify', now() + make_interval(secs => $4::bigint) FROM account
), posted AS (
	INSERT INTO outbox (letter, recipient, full_name, sealed_token)
	SELECT 'verify', email, full_name, $5 FROM account
), noted AS (
	INSERT INTO events (kind, user_pk, client)
	SELECT 'verification_requested', (SELECT pk FROM account), $6 FROM attempt
	WHERE wait = 0 AND NOT spent
)
SELECT wait, spent FROM attempt
