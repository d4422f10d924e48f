-- parameters: count bigint, after bigint, retention bigint
-- row: purged bigint, reached bigint
WITH expired AS (
	SELECT pk, at FROM events WHERE at <= now() - make_interval(secs => :retention)
		AND at >= 'epoch'::timestamptz + :after * interval '1 microsecond'
	ORDER BY at LIMIT :count FOR UPDATE SKIP LOCKED
), purged AS (
	DELETE FROM events USING expired WHERE events.pk = expired.pk
	RETURNING 1
)
SELECT (SELECT count(*) FROM purged) AS purged,
	COALESCE((SELECT EXTRACT(epoch FROM max(at)) * 1000000 FROM expired), 0)::bigint AS reached
