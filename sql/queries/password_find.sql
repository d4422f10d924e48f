-- $1 text limits, $2 uuid network, $3 uuid user_id, $4 uuid session_id
-- bigint wait, text taken, text password_hash, bigint credential_version, text email,
-- text username
--
-- The password of a living session's user, to be verified again; counted like a log-in. No row
-- where the session is dead.
WITH account AS MATERIALIZED (
	SELECT user_pk, user_id, password_hash, credential_version, email, username
	FROM living_sessions
	WHERE user_id = $3 AND session_id = $4
)
SELECT wait, taken, password_hash, credential_version, email, username
FROM account, rate_limits_take($1, 'id ' || user_id, network_is_known(user_pk, $2), now())
