-- $1 text limits, $2 bytea digest
-- bigint wait, boolean found
--
-- Whether a reset token is worth a hash; reset_confirm decides.
SELECT wait, EXISTS (SELECT FROM one_time_tokens
	WHERE digest = $2 AND purpose = 'reset' AND expires_at > now()) AS found
FROM rate_limits_take($1, NULL, false, now())
