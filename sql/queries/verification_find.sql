-- Whether email_verify would find the token: what answers HEAD, which must change nothing.
--
-- parameters: digest bytea
-- row: found boolean
SELECT true AS found FROM one_time_tokens
WHERE digest = :digest AND purpose = 'verify' AND expires_at > now()
