-- Verifies the e-mail that the token was sent to. The token stays until it expires and goes on
-- answering (mail scanners open links before people do); the user's other ones are void. The user's
-- row is locked before the tokens.
--
-- parameters: digest bytea, client text
-- row: user_pk bigint
WITH held AS MATERIALIZED (
	SELECT pk FROM one_time_tokens JOIN users ON pk = user_pk
	WHERE digest = :digest AND purpose = 'verify' AND expires_at > now()
	FOR NO KEY UPDATE OF users
), used AS (
	UPDATE one_time_tokens SET used_at = now() FROM held
	WHERE digest = :digest AND used_at IS NULL
	RETURNING user_pk
), verified AS (
	UPDATE users SET email_verified_at = now() FROM used
	WHERE pk = used.user_pk AND email_verified_at IS NULL
	RETURNING pk
), voided AS (
	DELETE FROM one_time_tokens USING used
	WHERE one_time_tokens.user_pk = used.user_pk AND purpose = 'verify' AND digest <> :digest
), noted AS (
	INSERT INTO events (kind, user_pk, client)
	SELECT 'email_verified', pk, :client FROM verified
)
SELECT pk AS user_pk FROM held
