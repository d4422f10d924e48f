-- $1 bytea digest, $2 text password_hash, $3 text client
-- bigint user_pk
--
-- A reset is final: the token and its siblings are void, all sessions end, the e-mail counts as
-- verified, the owner is told. Of two at once the second finds its token gone.
WITH token AS (
	DELETE FROM one_time_tokens
	WHERE digest = $1 AND purpose = 'reset' AND expires_at > now()
	RETURNING user_pk
), account AS (
	UPDATE users SET password_hash = $2, password_changed_at = now(),
		email_verified_at = COALESCE(email_verified_at, now())
	FROM token WHERE pk = token.user_pk AND disabled_at IS NULL
	RETURNING pk, email, full_name
), voided AS (
	DELETE FROM one_time_tokens USING account
	WHERE user_pk = pk AND purpose = 'reset' AND digest <> $1
), ended AS (
	DELETE FROM sessions USING account WHERE user_pk = pk
), posted AS (
	INSERT INTO outbox (letter, recipient, full_name)
	SELECT 'changed', email, full_name FROM account
), noted AS (
	INSERT INTO events (kind, user_pk, client)
	SELECT 'password_reset', pk, $3 FROM account
)
SELECT pk AS user_pk FROM account
