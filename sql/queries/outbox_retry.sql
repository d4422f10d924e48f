-- Not this time; again after the delay, in seconds. No row where somebody else has claimed it
-- since.
--
-- parameters: pk bigint, claim uuid, delay bigint, error text
-- row: pk bigint
UPDATE outbox SET attempts = attempts + 1, last_error = :error,
	claimed_until = NULL, claimed_by = NULL,
	next_attempt_at = clock_timestamp() + make_interval(secs => :delay)
WHERE pk = :pk AND claimed_by = :claim
RETURNING pk
