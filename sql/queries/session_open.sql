-- $1 bigint user_pk, $2 bigint credential_version, $3 uuid session_id, $4 bigint session_lifetime,
-- $5 bigint session_idle, $6 text client, $7 text taken, $8 uuid network
-- bigint session_expires_at
--
-- Opens a session under the version that the password was verified under. Should that be another by
-- now there is no row: the lock waits for a change under way, and then sees its result. The
-- try is given back, and the network is known from now on.
WITH account AS (
	SELECT pk, credential_version FROM users
	WHERE pk = $1 AND credential_version = $2 AND disabled_at IS NULL
	FOR SHARE
), opened AS (
	INSERT INTO sessions (user_pk, id, credential_version, expires_at, idle_until, purge_at)
	SELECT pk, $3, credential_version, now() + make_interval(secs => $4::bigint),
		session_idle_until($5), session_purge_at($5)
	FROM account
	RETURNING expires_at
), noted AS (
	INSERT INTO events (kind, user_pk, session_id, client)
	SELECT 'logged_in', pk, $3, $6 FROM account
), known AS (
	INSERT INTO known_networks AS held (user_pk, network, seen_at)
	SELECT pk, rate_limit_key($8, pk::text), now() FROM account
	ON CONFLICT (user_pk, network) DO UPDATE SET seen_at = excluded.seen_at
	WHERE held.seen_at < excluded.seen_at - interval '1 day'
)
SELECT floor(EXTRACT(epoch FROM expires_at))::bigint AS session_expires_at
FROM opened, LATERAL (SELECT rate_limits_return($7, now()) WHERE expires_at IS NOT NULL) AS returned
