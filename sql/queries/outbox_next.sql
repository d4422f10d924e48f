-- Milliseconds until the next mail is due, one that another courier has claimed when its lease
-- ends; -1 where none waits.
--
-- row: wait bigint
SELECT COALESCE(GREATEST(0, ceil(EXTRACT(epoch FROM
	min(GREATEST(next_attempt_at, claimed_until)) - now()) * 1000))::bigint, -1) AS wait
FROM outbox WHERE failed_at IS NULL
