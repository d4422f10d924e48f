-- $1 bigint user_pk, $2 text old_hash, $3 text new_hash, $4 uuid session_id, $5 text client
-- bigint pk
--
-- Changes the password that was just verified, ends every other session, and tells the owner. No
-- row where somebody else was faster.
WITH account AS (
	UPDATE users SET password_hash = $3, password_changed_at = now()
	WHERE pk = $1 AND password_hash = $2 AND disabled_at IS NULL
	RETURNING pk, email, full_name
), ended AS (
	DELETE FROM sessions USING account WHERE user_pk = pk AND id <> $4
), voided AS (
	DELETE FROM one_time_tokens USING account WHERE user_pk = pk AND purpose = 'reset'
), posted AS (
	INSERT INTO outbox (letter, recipient, full_name)
	SELECT 'changed', email, full_name FROM account
), noted AS (
	INSERT INTO events (kind, user_pk, session_id, client)
	SELECT 'password_changed', pk, $4, $5 FROM account
)
SELECT pk FROM account
