-- Accounts, their sessions, the tokens and mails on their way, and what was tried how often.
--
-- Names are not qualified: the tables live in the first schema of the role's search_path, so a
-- site with one database gives latchkey a schema of its own and nothing here changes.

CREATE TABLE users (
	pk bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	id uuid NOT NULL DEFAULT gen_random_uuid(),
	email text NOT NULL,
	username text,
	full_name text,
	first_name text,
	last_name text,
	password_hash text NOT NULL,
	email_verified_at timestamptz,
	disabled_at timestamptz,
	password_changed_at timestamptz NOT NULL DEFAULT now(),
	created_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT users_id UNIQUE (id),
	CONSTRAINT users_email_octets CHECK (octet_length(email) <= 254)
);
-- Both are ASCII by the rules of registration: the C collation folds them alike everywhere.
CREATE UNIQUE INDEX users_email ON users (lower(email COLLATE "C"));
CREATE UNIQUE INDEX users_username ON users (lower(username COLLATE "C"));

-- A refresh token names its session and its generation; nothing of the token is here. The key
-- begins with the user, so one index finds a session and all sessions of a user. What a refresh
-- changes is in no index, and pages keep room: those updates are HOT.
CREATE TABLE sessions (
	user_pk bigint NOT NULL REFERENCES users ON DELETE CASCADE,
	id uuid NOT NULL,
	generation bigint NOT NULL DEFAULT 0,
	rotated_at timestamptz NOT NULL DEFAULT now(),
	-- until then the predecessor of the present generation is honoured
	grace_until timestamptz,
	last_used_at timestamptz NOT NULL DEFAULT now(),
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL,
	PRIMARY KEY (user_pk, id)
) WITH (fillfactor = 85);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

-- Tokens that work once. Found by the SHA-256 of what was mailed.
CREATE TABLE one_time_tokens (
	digest bytea PRIMARY KEY,
	user_pk bigint NOT NULL REFERENCES users ON DELETE CASCADE,
	purpose text NOT NULL CHECK (purpose IN ('verify', 'reset')),
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	expires_at timestamptz NOT NULL,
	-- a verification link goes on answering after its first use
	used_at timestamptz
);
CREATE INDEX one_time_tokens_user ON one_time_tokens (user_pk, purpose, created_at);
CREATE INDEX one_time_tokens_expires_at ON one_time_tokens (expires_at);

-- Mails that are to be sent, written with the change that they speak of. A row goes when its mail
-- has been taken by the mail server. The token is encrypted under a key that is not here.
CREATE TABLE outbox (
	pk bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	id uuid NOT NULL DEFAULT gen_random_uuid(),
	letter text NOT NULL,
	recipient text NOT NULL,
	full_name text,
	sealed_token text,
	attempts bigint NOT NULL DEFAULT 0,
	next_attempt_at timestamptz NOT NULL DEFAULT now(),
	created_at timestamptz NOT NULL DEFAULT now(),
	-- given up, and why: kept for people to see until the audit trail goes
	failed_at timestamptz,
	last_error text
);
CREATE INDEX outbox_due ON outbox (next_attempt_at) WHERE failed_at IS NULL;
CREATE INDEX outbox_failed ON outbox (failed_at) WHERE failed_at IS NOT NULL;

CREATE FUNCTION outbox_wake() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NOTIFY latchkey_outbox;
	RETURN NULL;
END $$;
CREATE TRIGGER outbox_wake AFTER INSERT ON outbox
	FOR EACH STATEMENT EXECUTE FUNCTION outbox_wake();

-- The audit trail. user_pk is no reference: it outlives the user.
CREATE TABLE events (
	pk bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at timestamptz NOT NULL DEFAULT now(),
	kind text NOT NULL,
	user_pk bigint,
	session_id uuid,
	client text
);
CREATE INDEX events_at ON events (at);
CREATE INDEX events_user ON events (user_pk, at);

-- Who tried what how often, by the generic cell rate algorithm: one moment is all a key needs.
-- Keys are digests: neither names nor addresses are kept. Unlogged: a crash forgives.
CREATE UNLOGGED TABLE rate_limits (
	key bytea PRIMARY KEY,
	busy_until timestamptz NOT NULL,
	-- rounded up to hours, so that the index on it rarely changes
	expires_at timestamptz NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX rate_limits_expires_at ON rate_limits (expires_at);

-- Counts one try for `key`, of which `allowed` may be made in `period`: all at once, then one for
-- each period / allowed. Returns 0, or how many seconds to wait; a try that came too early is
-- counted too, so that trying on and on never gets through. allowed = 0: there is no limit.
CREATE FUNCTION rate_limit(key bytea, allowed bigint, period interval) RETURNS bigint
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	spacing interval;
	busy timestamptz;
BEGIN
	IF rate_limit.allowed = 0 THEN
		RETURN 0;
	END IF;
	spacing := rate_limit.period / rate_limit.allowed;
	INSERT INTO rate_limits AS held (key, busy_until, expires_at)
	VALUES (rate_limit.key, now() + spacing,
		date_trunc('hour', now() + rate_limit.period) + interval '1 hour')
	ON CONFLICT (key) DO UPDATE SET
		busy_until = LEAST(GREATEST(held.busy_until, now()) + spacing,
			now() + rate_limit.period + spacing),
		expires_at = excluded.expires_at
	RETURNING busy_until INTO busy;
	RETURN GREATEST(0, ceil(EXTRACT(epoch FROM busy - now() - rate_limit.period)));
END $$;

-- The three limits of a try, the narrowest first; a wider one counts only what a narrower let
-- pass, so one client alone cannot use up what an account has for all clients.
CREATE FUNCTION rate_limits_wait(
	pair bytea, network bytea, account bytea, allowed bigint, seconds bigint,
	network_factor bigint, account_factor bigint) RETURNS bigint
LANGUAGE sql AS $$
	SELECT COALESCE(
		NULLIF(CASE WHEN pair IS NULL THEN 0
			ELSE rate_limit(pair, allowed, make_interval(secs => seconds)) END, 0),
		NULLIF(CASE WHEN network IS NULL THEN 0
			ELSE rate_limit(network, allowed * network_factor, make_interval(secs => seconds)) END, 0),
		CASE WHEN account IS NULL THEN 0
			ELSE rate_limit(account, allowed * account_factor, make_interval(secs => seconds * 60)) END)
$$;

-- A disabled user has no sessions, from the moment of being disabled.
CREATE FUNCTION users_disabled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM sessions WHERE user_pk = NEW.pk;
	RETURN NULL;
END $$;
CREATE TRIGGER users_disabled AFTER UPDATE OF disabled_at ON users
	FOR EACH ROW WHEN (OLD.disabled_at IS NULL AND NEW.disabled_at IS NOT NULL)
	EXECUTE FUNCTION users_disabled();

-- Of one user's tokens for one purpose the last three are valid; a fourth voids the first.
CREATE FUNCTION one_time_tokens_trim() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM one_time_tokens WHERE digest IN (
		SELECT digest FROM one_time_tokens
		WHERE user_pk = NEW.user_pk AND purpose = NEW.purpose AND used_at IS NULL
		ORDER BY created_at DESC OFFSET 3);
	RETURN NULL;
END $$;
CREATE TRIGGER one_time_tokens_trim AFTER INSERT ON one_time_tokens
	FOR EACH ROW EXECUTE FUNCTION one_time_tokens_trim();
