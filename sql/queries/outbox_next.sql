-- bigint wait
--
-- Milliseconds until the next mail is due; NULL where none waits. Those another courier is busy
-- with count too, so the answer may be 0 while there is nothing to take.
SELECT CASE WHEN min(next_attempt_at) IS NOT NULL THEN
	GREATEST(0, ceil(EXTRACT(epoch FROM min(next_attempt_at) - now()) * 1000))::bigint END AS wait
FROM outbox WHERE failed_at IS NULL
