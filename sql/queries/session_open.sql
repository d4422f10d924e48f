-- $1 bigint user_pk, $2 text password_hash, $3 uuid session_id, $4 bigint session_lifetime,
-- $5 text client
-- bigint session_expires_at
--
-- Opens a session for the password that was just verified. Should a reset have changed it in the
-- meantime there is no row: the lock waits for a reset under way, and then sees its result.
WITH account AS (
	SELECT pk FROM users
	WHERE pk = $1 AND password_hash = $2 AND disabled_at IS NULL
	FOR SHARE
), opened AS (
	INSERT INTO sessions (user_pk, id, expires_at)
	SELECT pk, $3, now() + make_interval(secs => $4::bigint) FROM account
	RETURNING expires_at
), noted AS (
	INSERT INTO events (kind, user_pk, session_id, client)
	SELECT 'logged_in', pk, $3, $5 FROM account
)
SELECT floor(EXTRACT(epoch FROM expires_at))::bigint AS session_expires_at FROM opened
