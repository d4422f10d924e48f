-- $1 text email, $2 text limits, $3 text client
-- bigint pk
--
-- Somebody registers an e-mail that has an account, and is not to learn that: its owner does.
WITH account AS MATERIALIZED (
	SELECT pk, email, full_name FROM users
	WHERE lower(email COLLATE "C") = $1 AND disabled_at IS NULL
), posted AS (
	INSERT INTO outbox (letter, recipient, full_name)
	SELECT 'known', email, full_name FROM account, rate_limits_take($2, $1, false, now())
	WHERE NOT spent
), noted AS (
	INSERT INTO events (kind, user_pk, client)
	SELECT 'registered_again', pk, $3 FROM account
)
SELECT pk FROM account
