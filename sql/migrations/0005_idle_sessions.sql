-- Sessions may end without use. The end is a moment in the row, as that of their life is: a session
-- keeps the limit that was in force when it was last used.
ALTER TABLE sessions
	-- infinity: it may rest for as long as it lives
	ADD COLUMN idle_until timestamptz NOT NULL DEFAULT 'infinity',
	-- idle_until rounded up to days: it is in an index, and so changes rarely
	ADD COLUMN purge_at timestamptz NOT NULL DEFAULT 'infinity';

DROP INDEX sessions_expires_at;
CREATE INDEX sessions_purge ON sessions (LEAST(expires_at, purge_at));

-- What the two become with a use of the session. idle is in seconds, 0: no limit.
CREATE FUNCTION session_idle_until(idle bigint) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT CASE WHEN idle > 0 THEN now() + make_interval(secs => idle) ELSE 'infinity' END
$$;
CREATE FUNCTION session_purge_at(idle bigint) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT date_trunc('day', session_idle_until(idle)) + interval '1 day'
$$;

CREATE OR REPLACE VIEW living_sessions AS
SELECT users.pk AS user_pk, users.id AS user_id, users.email, users.username, users.full_name,
	users.first_name, users.last_name, users.password_hash, users.email_verified_at,
	users.created_at AS user_created_at, users.credential_version,
	sessions.id AS session_id, sessions.generation, sessions.rotated_at, sessions.grace_until,
	sessions.last_used_at, sessions.created_at, sessions.expires_at, sessions.idle_until
FROM users JOIN sessions ON sessions.user_pk = users.pk
WHERE users.disabled_at IS NULL
	AND sessions.credential_version = users.credential_version
	AND sessions.expires_at > now()
	AND sessions.idle_until > now();
