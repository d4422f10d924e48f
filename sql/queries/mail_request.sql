-- Somebody asks for a mail with a link to an address in lower case. The same is written whether or
-- not there is an account; outbox_claim finds out. Nothing is written where the budget of mails is
-- spent. Whether there is an account is looked up only where the answer tells it.
--
-- parameters: limits text, email text, letter text, digest bytea, token_lifetime bigint,
--     sealed_token text, client text, reveal boolean
-- row: wait bigint, spent boolean, known boolean
WITH attempt AS MATERIALIZED (
	SELECT wait, spent FROM rate_limits_take(:limits, :email, false, now())
), posted AS (
	INSERT INTO outbox (letter, recipient, sealed_token, token_digest, token_expires_at,
		requested_from)
	SELECT :letter, :email, :sealed_token, :digest,
		now() + make_interval(secs => :token_lifetime), :client
	FROM attempt WHERE wait = 0 AND NOT spent
)
SELECT wait, spent, CASE WHEN :reveal AND wait = 0 THEN EXISTS (SELECT FROM users
	WHERE lower(email COLLATE "C") = :email AND disabled_at IS NULL) END AS known
FROM attempt
