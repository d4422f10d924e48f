-- parameters: count bigint, after bigint, retention bigint
-- row: purged bigint, reached bigint
WITH expired AS (
	SELECT pk, failed_at FROM outbox
	WHERE failed_at IS NOT NULL AND failed_at <= now() - make_interval(secs => :retention)
		AND failed_at >= 'epoch'::timestamptz + :after * interval '1 microsecond'
	ORDER BY failed_at LIMIT :count FOR UPDATE SKIP LOCKED
), purged AS (
	DELETE FROM outbox USING expired WHERE outbox.pk = expired.pk
	RETURNING 1
)
SELECT (SELECT count(*) FROM purged) AS purged,
	COALESCE((SELECT EXTRACT(epoch FROM max(failed_at)) * 1000000 FROM expired), 0)::bigint AS reached
