-- parameters: count bigint, after bigint
-- row: purged bigint, reached bigint
WITH expired AS (
	SELECT user_pk, network, seen_at FROM known_networks
	WHERE seen_at <= now() - interval '30 days'
		AND seen_at >= 'epoch'::timestamptz + :after * interval '1 microsecond'
	ORDER BY seen_at LIMIT :count FOR UPDATE SKIP LOCKED
), purged AS (
	DELETE FROM known_networks USING expired
	WHERE known_networks.user_pk = expired.user_pk AND known_networks.network = expired.network
	RETURNING 1
)
SELECT (SELECT count(*) FROM purged) AS purged,
	COALESCE((SELECT EXTRACT(epoch FROM max(seen_at)) * 1000000 FROM expired), 0)::bigint AS reached
