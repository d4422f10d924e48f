-- $1 text email, $2 bytea mail_key, $3 bigint mail_allowed, $4 bigint mail_seconds, $5 text client
-- bigint pk
--
-- Somebody registers an e-mail that has an account, and is not to learn that: its owner does.
WITH account AS MATERIALIZED (
	SELECT pk, email, full_name FROM users
	WHERE lower(email COLLATE "C") = $1 AND disabled_at IS NULL
), posted AS (
	INSERT INTO outbox (letter, recipient, full_name)
	SELECT 'known', email, full_name FROM account
	WHERE rate_limit($2, $3, make_interval(secs => $4::bigint)) = 0
), noted AS (
	INSERT INTO events (kind, user_pk, client)
	SELECT 'registered_again', pk, $5 FROM account
)
SELECT pk FROM account
