-- Whether a reset token is worth a hash, and whose password it sets; reset_confirm decides.
--
-- parameters: limits text, digest bytea
-- row: wait bigint, taken text, found boolean, email text, username text
SELECT wait, taken, email IS NOT NULL AS found, email, username
FROM rate_limits_take(:limits, NULL, false, now())
LEFT JOIN (one_time_tokens JOIN users ON users.pk = user_pk)
	ON digest = :digest AND purpose = 'reset' AND expires_at > now()
		AND one_time_tokens.created_at >= password_changed_at
