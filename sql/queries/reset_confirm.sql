-- A reset is final: the token and its siblings are void, all sessions end with the version that is
-- raised, the e-mail counts as verified, the owner is told. The user's row is locked before the
-- token is used up; of two at once the second finds its token gone. A token that was asked for
-- before the password last changed is void too, whenever its mail was sent. The try is given back.
--
-- parameters: digest bytea, password_hash text, client text, taken text
-- row: user_pk bigint
WITH held AS MATERIALIZED (
	SELECT pk FROM one_time_tokens JOIN users ON pk = user_pk
	WHERE digest = :digest AND purpose = 'reset' AND expires_at > now() AND disabled_at IS NULL
		AND one_time_tokens.created_at >= password_changed_at
	FOR NO KEY UPDATE OF users
), token AS (
	DELETE FROM one_time_tokens USING held WHERE digest = :digest AND user_pk = pk
	RETURNING user_pk
), account AS (
	UPDATE users SET password_hash = :password_hash, password_changed_at = clock_timestamp(),
		credential_version = credential_version + 1,
		email_verified_at = COALESCE(email_verified_at, now())
	FROM token WHERE pk = token.user_pk
	RETURNING pk, email
), voided AS (
	DELETE FROM one_time_tokens USING account
	WHERE user_pk = pk AND purpose = 'reset' AND digest <> :digest
), posted AS (
	INSERT INTO outbox (letter, recipient)
	SELECT 'changed', email FROM account
), noted AS (
	INSERT INTO events (kind, user_pk, client)
	SELECT 'password_reset', pk, :client FROM account
)
SELECT pk AS user_pk
FROM account, LATERAL (SELECT rate_limits_return(:taken, now()) WHERE pk IS NOT NULL) AS returned
