-- $1 text limits, $2 bytea digest
-- bigint wait, text taken, boolean found, text email, text username
--
-- Whether a reset token is worth a hash, and whose password it sets; reset_confirm decides.
SELECT wait, taken, email IS NOT NULL AS found, email, username
FROM rate_limits_take($1, NULL, false, now())
LEFT JOIN (one_time_tokens JOIN users ON users.pk = user_pk)
	ON digest = $2 AND purpose = 'reset' AND expires_at > now()
		AND one_time_tokens.created_at >= password_changed_at
