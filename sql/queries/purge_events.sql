-- $1 bigint count, $2 bigint after, $3 bigint retention
-- bigint purged, bigint reached
WITH expired AS (
	SELECT pk, at FROM events WHERE at <= now() - make_interval(secs => $3::bigint)
		AND at >= 'epoch'::timestamptz + $2::bigint * interval '1 microsecond'
	ORDER BY at LIMIT $1 FOR UPDATE SKIP LOCKED
), purged AS (
	DELETE FROM events USING expired WHERE events.pk = expired.pk
	RETURNING 1
)
SELECT (SELECT count(*) FROM purged) AS purged,
	COALESCE((SELECT EXTRACT(epoch FROM max(at)) * 1000000 FROM expired), 0)::bigint AS reached
