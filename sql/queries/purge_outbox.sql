-- $1 bigint count, $2 bigint retention
-- bigint purged
WITH expired AS (
	SELECT pk FROM outbox
	WHERE failed_at IS NOT NULL AND failed_at <= now() - make_interval(secs => $2::bigint)
	ORDER BY failed_at LIMIT $1 FOR UPDATE SKIP LOCKED
), purged AS (
	DELETE FROM outbox USING expired WHERE outbox.pk = expired.pk
	RETURNING 1
)
SELECT count(*) AS purged FROM purged
