-- $1 bytea network, $2 bigint allowed, $3 bigint seconds, $4 bytea digest
-- bigint wait, boolean found
--
-- Whether a reset token is worth a hash; reset_confirm decides.
SELECT rate_limits_wait(NULL, $1, NULL, $2, $3, 5, 0) AS wait,
	EXISTS (SELECT FROM one_time_tokens
		WHERE digest = $4 AND purpose = 'reset' AND expires_at > now()) AS found
