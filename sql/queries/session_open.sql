-- Opens a session under the version that the password was verified under. Should that be another by
-- now there is no row: the lock waits for a change under way, and then sees its result. The
-- try is given back, and the network is known from now on.
--
-- parameters: user_pk bigint, credential_version bigint, session_id uuid,
--     session_lifetime bigint, session_idle bigint, client text, taken text, network uuid
-- row: session_expires_at bigint
WITH account AS (
	SELECT pk, credential_version FROM users
	WHERE pk = :user_pk AND credential_version = :credential_version AND disabled_at IS NULL
	FOR SHARE
), opened AS (
	INSERT INTO sessions (user_pk, id, credential_version, expires_at, idle_until, purge_at)
	SELECT pk, :session_id, credential_version, now() + make_interval(secs => :session_lifetime),
		session_idle_until(:session_idle), session_purge_at(:session_idle)
	FROM account
	RETURNING expires_at
), noted AS (
	INSERT INTO events (kind, user_pk, session_id, client)
	SELECT 'logged_in', pk, :session_id, :client FROM account
), known AS (
	INSERT INTO known_networks AS held (user_pk, network, seen_at)
	SELECT pk, rate_limit_key(:network, pk::text), now() FROM account
	ON CONFLICT (user_pk, network) DO UPDATE SET seen_at = excluded.seen_at
	WHERE held.seen_at < excluded.seen_at - interval '1 day'
)
SELECT floor(EXTRACT(epoch FROM expires_at))::bigint AS session_expires_at
FROM opened, LATERAL (
	SELECT rate_limits_return(:taken, now()) WHERE expires_at IS NOT NULL) AS returned
