-- $1 text limits, $2 uuid network, $3 uuid user_id, $4 uuid session_id
-- bigint wait, text taken, bigint pk, text password_hash
--
-- The password of a living session's user, to be verified again; counted like a log-in. No row
-- where the session is dead.
WITH account AS MATERIALIZED (
	SELECT pk, users.id, password_hash
	FROM users JOIN sessions ON sessions.user_pk = users.pk
	WHERE users.id = $3 AND sessions.id = $4 AND expires_at > now() AND disabled_at IS NULL
)
SELECT wait, taken, pk, password_hash
FROM account, rate_limits_take($1, 'id ' || id, network_is_known(pk, $2), now())
