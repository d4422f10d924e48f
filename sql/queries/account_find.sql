-- $1 bytea pair, $2 bytea network, $3 bytea account, $4 bigint allowed, $5 bigint seconds,
-- $6 bigint network_factor, $7 bigint account_factor, $8 text email, $9 text username
-- bigint wait, bigint pk, uuid id, text email, text username, text full_name, text first_name,
-- text last_name, boolean verified, bigint created_at, text password_hash
--
-- Counts a log-in and finds its account (by e-mail or by username, in lower case; the other is
-- NULL) in one go: one row always, whose account is NULL where there is none.
WITH attempt AS MATERIALIZED (
	SELECT rate_limits_wait($1, $2, $3, $4, $5, $6, $7) AS wait
), account AS (
	SELECT * FROM users
	WHERE lower(email COLLATE "C") = $8 AND disabled_at IS NULL
	UNION ALL
	SELECT * FROM users
	WHERE lower(username COLLATE "C") = $9 AND disabled_at IS NULL
)
SELECT wait, pk, id, email, username, full_name, first_name, last_name,
	email_verified_at IS NOT NULL AS verified,
	floor(EXTRACT(epoch FROM created_at))::bigint AS created_at, password_hash
FROM attempt LEFT JOIN account ON true
