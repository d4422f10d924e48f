-- $1 bytea digest
-- boolean found
--
-- Whether email_verify would find the token: what answers HEAD, which must change nothing.
SELECT true AS found FROM one_time_tokens
WHERE digest = $1 AND purpose = 'verify' AND expires_at > now()
