-- $1 bytea pair, $2 bytea network, $3 bigint allowed, $4 bigint seconds, $5 bigint network_factor,
-- $6 text email, $7 bytea mail_key, $8 bigint mail_allowed, $9 bigint mail_seconds,
-- $10 bytea digest, $11 bigint token_lifetime, $12 text sealed_token, $13 text client
-- bigint wait
--
-- Another verification mail, where there is an account that needs one and the budget of its
-- recipient allows. The event is written in each case: who asks cannot tell them apart.
WITH attempt AS MATERIALIZED (
	SELECT rate_limits_wait($1, $2, NULL, $3, $4, $5, 0) AS wait
), account AS MATERIALIZED (
	SELECT pk, email, full_name FROM users, attempt
	WHERE lower(email COLLATE "C") = $6 AND email_verified_at IS NULL AND disabled_at IS NULL
		AND wait = 0
), budget AS MATERIALIZED (
	SELECT * FROM account WHERE rate_limit($7, $8, make_interval(secs => $9::bigint)) = 0
), made AS (
	INSERT INTO one_time_tokens (digest, user_pk, purpose, expires_at)
	SELECT $10, pk, 'verify', now() + make_interval(secs => $11::bigint) FROM budget
), posted AS (
	INSERT INTO outbox (letter, recipient, full_name, sealed_token)
	SELECT 'verify', email, full_name, $12 FROM budget
), noted AS (
	INSERT INTO events (kind, user_pk, client)
	SELECT 'verification_requested', (SELECT pk FROM account), $13 FROM attempt WHERE wait = 0
)
SELECT wait FROM attempt
