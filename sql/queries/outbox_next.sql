-- bigint wait
--
-- Milliseconds until the next mail is due, one that another courier has claimed when its lease ends;
-- NULL where none waits.
SELECT CASE WHEN min(GREATEST(next_attempt_at, claimed_until)) IS NOT NULL THEN
	GREATEST(0, ceil(EXTRACT(epoch FROM min(GREATEST(next_attempt_at, claimed_until)) - now()) * 1000))::bigint
	END AS wait
FROM outbox WHERE failed_at IS NULL
