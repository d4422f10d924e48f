-- $1 bigint count, $2 uuid claim, $3 bigint lease
-- bigint pk, uuid id, text letter, text recipient, text full_name, text sealed_token,
-- bigint created_at, bigint attempts, bigint age, boolean abandoned
--
-- The mails that are due, the oldest first; for as many seconds as the lease nobody else gets them.
-- Two couriers that ask at once get different ones. age is in seconds, since the first attempt;
-- abandoned: it was claimed before, and nobody said what became of it.
WITH due AS MATERIALIZED (
	SELECT pk, claimed_until IS NOT NULL AS abandoned FROM outbox
	WHERE failed_at IS NULL AND GREATEST(next_attempt_at, claimed_until) <= now()
	ORDER BY GREATEST(next_attempt_at, claimed_until)
	LIMIT $1
	FOR UPDATE SKIP LOCKED
), claimed AS (
	UPDATE outbox SET claimed_by = $2, claimed_until = now() + make_interval(secs => $3::bigint),
		first_attempt_at = COALESCE(first_attempt_at, now()),
		attempts = attempts + abandoned::int
	FROM due WHERE outbox.pk = due.pk
	RETURNING outbox.pk, id, letter, recipient, full_name, sealed_token, created_at, attempts,
		first_attempt_at, abandoned
)
SELECT pk, id, letter, recipient, full_name, sealed_token,
	floor(EXTRACT(epoch FROM created_at))::bigint AS created_at, attempts,
	floor(EXTRACT(epoch FROM now() - first_attempt_at))::bigint AS age, abandoned
FROM claimed ORDER BY pk
