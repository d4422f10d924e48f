-- The mails that are due, the oldest first; for as many seconds as the lease nobody else gets them.
-- Two couriers that ask at once get different ones.
--
-- A mail goes to the account that the address has by now, and is not needed where there is none, or
-- where what it is for has happened since: such rows are deleted. The first claim makes the link's
-- token valid. A name is given for verified addresses only: a stranger may have registered it. The
-- users' rows are locked before their tokens, in the order of their keys.
--
-- age is in seconds, since the first attempt; expired: the link is; abandoned: it was claimed
-- before, and nobody said what became of it.
--
-- parameters: count bigint, claim uuid, lease bigint
-- rows: pk bigint, id uuid, letter text, recipient text, full_name text, sealed_token text,
--     created_at bigint, attempts bigint, age bigint, needed boolean, expired boolean,
--     abandoned boolean
WITH due AS MATERIALIZED (
	SELECT pk, id, letter, recipient, token_digest, token_expires_at, requested_from, created_at,
		claimed_until IS NOT NULL AS abandoned
	FROM outbox
	WHERE failed_at IS NULL AND GREATEST(next_attempt_at, claimed_until) <= now()
	ORDER BY GREATEST(next_attempt_at, claimed_until)
	LIMIT :count
	FOR UPDATE SKIP LOCKED
), found AS MATERIALIZED (
	SELECT due.pk, owner.pk AS user_pk FROM due, LATERAL (
		SELECT users.pk FROM users
		WHERE lower(email COLLATE "C") = lower(due.recipient COLLATE "C")
		LIMIT 1) AS owner
), held AS MATERIALIZED (
	SELECT pk AS user_pk, email, full_name, email_verified_at IS NOT NULL AS verified,
		password_changed_at
	FROM users WHERE pk = ANY (ARRAY(SELECT user_pk FROM found)) AND disabled_at IS NULL
	ORDER BY pk
	FOR NO KEY UPDATE
), looked_up AS MATERIALIZED (
	SELECT due.*, held.user_pk, email, CASE WHEN verified THEN full_name END AS full_name,
		CASE letter WHEN 'verify' THEN held.user_pk IS NOT NULL AND NOT verified
			WHEN 'reset' THEN held.user_pk IS NOT NULL AND due.created_at >= password_changed_at
			WHEN 'known' THEN held.user_pk IS NOT NULL
			ELSE true END AS needed
	FROM due LEFT JOIN found USING (pk) LEFT JOIN held ON held.user_pk = found.user_pk
), made AS (
	INSERT INTO one_time_tokens (digest, user_pk, purpose, created_at, expires_at)
	SELECT token_digest, user_pk, letter, created_at, token_expires_at FROM looked_up
	WHERE needed AND letter IN ('verify', 'reset') AND token_digest IS NOT NULL
		AND token_expires_at > now()
	ON CONFLICT DO NOTHING
), noted AS (
	INSERT INTO events (at, kind, user_pk, client)
	SELECT created_at, CASE letter WHEN 'reset' THEN 'reset_requested'
		ELSE 'verification_requested' END, user_pk, requested_from
	FROM looked_up WHERE requested_from IS NOT NULL
), dropped AS (
	DELETE FROM outbox USING looked_up WHERE outbox.pk = looked_up.pk AND NOT needed
), claimed AS (
	UPDATE outbox SET claimed_by = :claim, claimed_until = now() + make_interval(secs => :lease),
		first_attempt_at = COALESCE(first_attempt_at, now()),
		attempts = attempts + abandoned::int, recipient = COALESCE(email, outbox.recipient),
		token_digest = NULL, requested_from = NULL
	FROM looked_up WHERE outbox.pk = looked_up.pk AND needed
	RETURNING outbox.pk, outbox.recipient, sealed_token, attempts, first_attempt_at
)
SELECT pk, id, letter, claimed.recipient, full_name, sealed_token,
	floor(EXTRACT(epoch FROM created_at))::bigint AS created_at, attempts,
	floor(EXTRACT(epoch FROM now() - first_attempt_at))::bigint AS age, needed,
	COALESCE(token_expires_at <= now(), false) AS expired, abandoned
FROM looked_up LEFT JOIN claimed USING (pk)
ORDER BY pk
