-- $1 bytea digest, $2 text client
-- bigint user_pk
--
-- Verifies the e-mail that the token was sent to. The token stays until it expires and goes on
-- answering (mail scanners open links before people do); the user's other ones are void.
WITH token AS (
	SELECT digest, user_pk, used_at FROM one_time_tokens
	WHERE digest = $1 AND purpose = 'verify' AND expires_at > now()
	FOR UPDATE
), used AS (
	UPDATE one_time_tokens SET used_at = now() FROM token
	WHERE one_time_tokens.digest = token.digest AND token.used_at IS NULL
	RETURNING one_time_tokens.user_pk
), verified AS (
	UPDATE users SET email_verified_at = now() FROM used
	WHERE pk = used.user_pk AND email_verified_at IS NULL
	RETURNING pk
), voided AS (
	DELETE FROM one_time_tokens USING used
	WHERE one_time_tokens.user_pk = used.user_pk AND purpose = 'verify' AND digest <> $1
), noted AS (
	INSERT INTO events (kind, user_pk, client)
	SELECT 'email_verified', pk, $2 FROM verified
)
SELECT user_pk FROM token
