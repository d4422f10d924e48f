-- $1 text limits, $2 text email, $3 text letter, $4 bytea digest, $5 bigint token_lifetime,
-- $6 text sealed_token, $7 text client, $8 boolean reveal
-- bigint wait, boolean spent, boolean known
--
-- Somebody asks for a mail with a link to an address in lower case. The same is written whether or
-- not there is an account; outbox_claim finds out. Nothing is written where the budget of mails is
-- spent. Whether there is an account is looked up only where the answer tells it.
WITH attempt AS MATERIALIZED (
	SELECT wait, spent FROM rate_limits_take($1, $2, false, now())
), posted AS (
	INSERT INTO outbox (letter, recipient, sealed_token, token_digest, token_expires_at, requested_from)
	SELECT $3, $2, $6, $4, now() + make_interval(secs => $5::bigint), $7 FROM attempt
	WHERE wait = 0 AND NOT spent
)
SELECT wait, spent, CASE WHEN $8 AND wait = 0 THEN EXISTS (SELECT FROM users
	WHERE lower(email COLLATE "C") = $2 AND disabled_at IS NULL) END AS known
FROM attempt
