-- $1 bigint pk, $2 bigint delay, $3 text error
--
-- Not this time; again after the delay, in seconds.
UPDATE outbox SET attempts = attempts + 1, last_error = $3,
	next_attempt_at = clock_timestamp() + make_interval(secs => $2::bigint)
WHERE pk = $1
