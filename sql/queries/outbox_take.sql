-- $1 bigint count
-- bigint pk, uuid id, text letter, text recipient, text full_name, text sealed_token,
-- bigint attempts, bigint created_at
--
-- The mails that are due, the oldest first, locked until they are settled: a courier that dies
-- gives them back at once, and two couriers never take the same.
SELECT pk, id, letter, recipient, full_name, sealed_token, attempts,
	floor(EXTRACT(epoch FROM created_at))::bigint AS created_at
FROM outbox
WHERE failed_at IS NULL AND next_attempt_at <= now()
ORDER BY next_attempt_at
LIMIT $1
FOR UPDATE SKIP LOCKED
