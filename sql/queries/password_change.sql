-- Changes the password that was verified under that version, ends every other session, and tells
-- the owner. The caller's session goes on under the new version. No row where that session is dead
-- by now; not changed where the password is another by now. The try is given back where it is.
--
-- parameters: user_id uuid, session_id uuid, credential_version bigint, password_hash text,
--     client text, taken text
-- row: changed boolean
WITH held AS MATERIALIZED (
	SELECT user_pk, credential_version FROM living_sessions
	WHERE user_id = :user_id AND session_id = :session_id
	FOR NO KEY UPDATE
), account AS (
	UPDATE users SET password_hash = :password_hash, password_changed_at = clock_timestamp(),
		credential_version = users.credential_version + 1
	FROM held WHERE pk = user_pk AND held.credential_version = :credential_version
	RETURNING pk, email, users.credential_version
), carried AS (
	UPDATE sessions SET credential_version = account.credential_version
	FROM account WHERE user_pk = pk AND id = :session_id
), voided AS (
	DELETE FROM one_time_tokens USING account WHERE user_pk = pk AND purpose = 'reset'
), posted AS (
	INSERT INTO outbox (letter, recipient)
	SELECT 'changed', email FROM account
), noted AS (
	INSERT INTO events (kind, user_pk, session_id, client)
	SELECT 'password_changed', pk, :session_id, :client FROM account
)
SELECT EXISTS (SELECT FROM account) AS changed
FROM held LEFT JOIN LATERAL (
	SELECT rate_limits_return(:taken, now()) FROM account WHERE pk = user_pk) AS returned ON true
