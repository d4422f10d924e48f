-- $1 text limits, $2 uuid network, $3 text email, $4 text username
-- bigint wait, text taken, bigint pk, uuid id, text email, text username, text full_name,
-- text first_name, text last_name, boolean verified, bigint created_at, text password_hash,
-- bigint credential_version
--
-- Finds the account of a log-in (by e-mail or by username, in lower case; the other is NULL) and
-- counts the try under it, or under the name where there is none: one row always, whose account is
-- NULL then.
WITH account AS MATERIALIZED (
	SELECT * FROM users
	WHERE lower(email COLLATE "C") = $3 AND disabled_at IS NULL
	UNION ALL
	SELECT * FROM users
	WHERE lower(username COLLATE "C") = $4 AND disabled_at IS NULL
), attempt AS MATERIALIZED (
	SELECT wait, taken FROM rate_limits_take($1,
		COALESCE((SELECT 'id ' || id FROM account), 'name ' || COALESCE($3, $4)),
		(SELECT network_is_known(pk, $2) FROM account), now())
)
SELECT wait, taken, pk, id, email, username, full_name, first_name, last_name,
	email_verified_at IS NOT NULL AS verified,
	floor(EXTRACT(epoch FROM created_at))::bigint AS created_at, password_hash, credential_version
FROM attempt LEFT JOIN account ON true
