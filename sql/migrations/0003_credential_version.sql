-- A session lives only as long as the password, and the state of the account, that it was opened
-- under. Both carry a version: what changes the password, disables the user or ends all sessions
-- raises the user's, and a session whose version is another is dead. A statement that waits for a
-- lock goes on with the sessions that it saw before; a comparison does not depend on what it saw.
--
-- Lock order, for every statement that locks more than one row of a user: the user's row first,
-- then sessions, then the rest.
ALTER TABLE users ADD COLUMN credential_version bigint NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN credential_version bigint NOT NULL DEFAULT 0;

-- The sessions that are of use, with their users: whatever asks for a session asks here. With FOR
-- NO KEY UPDATE it locks the user's row and then the session's, and compares what they are by then.
CREATE VIEW living_sessions AS
SELECT users.pk AS user_pk, users.id AS user_id, users.email, users.username, users.full_name,
	users.first_name, users.last_name, users.password_hash, users.email_verified_at,
	users.created_at AS user_created_at, users.credential_version,
	sessions.id AS session_id, sessions.generation, sessions.rotated_at, sessions.grace_until,
	sessions.last_used_at, sessions.created_at, sessions.expires_at
FROM users JOIN sessions ON sessions.user_pk = users.pk
WHERE users.disabled_at IS NULL
	AND sessions.credential_version = users.credential_version
	AND sessions.expires_at > now();

-- Being disabled ends all sessions; being enabled again does not bring them back.
DROP TRIGGER users_disabled ON users;
DROP FUNCTION users_disabled();
CREATE FUNCTION users_disabled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.credential_version := NEW.credential_version + 1;
	RETURN NEW;
END $$;
CREATE TRIGGER users_disabled BEFORE UPDATE ON users
	FOR EACH ROW WHEN (OLD.disabled_at IS NULL AND NEW.disabled_at IS NOT NULL)
	EXECUTE FUNCTION users_disabled();

-- Deletes the sessions that are dead by the comparison. It runs at the end of the statement and sees
-- what was committed while that waited for the user's row.
-- Not all of very many: whoever has the password may have opened a million, and must not make its
-- change last too long. The others are as dead, and go when they expire.
CREATE FUNCTION users_sessions_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM sessions WHERE ctid = ANY (ARRAY(
		SELECT ctid FROM sessions
		WHERE user_pk = NEW.pk AND credential_version <> NEW.credential_version LIMIT 10000));
	RETURN NULL;
END $$;
CREATE TRIGGER users_sessions_end AFTER UPDATE ON users
	FOR EACH ROW WHEN (OLD.credential_version <> NEW.credential_version)
	EXECUTE FUNCTION users_sessions_end();
