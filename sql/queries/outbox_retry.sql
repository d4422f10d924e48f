-- $1 bigint pk, $2 uuid claim, $3 bigint delay, $4 text error
-- bigint pk
--
-- Not this time; again after the delay, in seconds. No row where somebody else has claimed it since.
UPDATE outbox SET attempts = attempts + 1, last_error = $4, claimed_until = NULL, claimed_by = NULL,
	next_attempt_at = clock_timestamp() + make_interval(secs => $3::bigint)
WHERE pk = $1 AND claimed_by = $2
RETURNING pk
