-- The password of a living session's user, to be verified again; counted like a log-in. No row
-- where the session is dead.
--
-- parameters: limits text, network uuid, user_id uuid, session_id uuid
-- row: wait bigint, taken text, password_hash text, credential_version bigint, email text,
--     username text
WITH account AS MATERIALIZED (
	SELECT user_pk, user_id, password_hash, credential_version, email, username
	FROM living_sessions
	WHERE user_id = :user_id AND session_id = :session_id
)
SELECT wait, taken, password_hash, credential_version, email, username
FROM account, rate_limits_take(:limits, 'id ' || user_id, EXISTS (SELECT FROM recent_networks
	WHERE user_pk = account.user_pk
		AND network = rate_limit_key(:network, account.user_pk::text)), now())
