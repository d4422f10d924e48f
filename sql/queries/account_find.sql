-- Finds the account of a log-in (by e-mail or by username, in lower case; the other is NULL) and
-- counts the try under it, or under the name where there is none: one row always, whose account is
-- NULL then.
--
-- parameters: limits text, network uuid, email text, username text
-- row: wait bigint, taken text, pk bigint, id uuid, email text, username text, full_name text,
--     first_name text, last_name text, verified boolean, created_at bigint, password_hash text,
--     credential_version bigint
WITH account AS MATERIALIZED (
	SELECT * FROM users
	WHERE lower(email COLLATE "C") = :email AND disabled_at IS NULL
	UNION ALL
	SELECT * FROM users
	WHERE lower(username COLLATE "C") = :username AND disabled_at IS NULL
), attempt AS MATERIALIZED (
	SELECT wait, taken FROM rate_limits_take(:limits,
		COALESCE((SELECT 'id ' || id FROM account), 'name ' || COALESCE(:email, :username)),
		EXISTS (SELECT FROM account JOIN recent_networks ON user_pk = pk
			AND network = rate_limit_key(:network, pk::text)), now())
)
SELECT wait, taken, pk, id, email, username, full_name, first_name, last_name,
	email_verified_at IS NOT NULL AS verified,
	floor(EXTRACT(epoch FROM created_at))::bigint AS created_at, password_hash, credential_version
FROM attempt LEFT JOIN account ON true
