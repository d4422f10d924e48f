-- Mails that were given up lose their token when it has expired; they themselves stay for a while.
--
-- parameters: count bigint, after bigint
-- row: purged bigint, reached bigint
WITH expired AS (
	SELECT pk, token_expires_at FROM outbox
	WHERE failed_at IS NOT NULL AND sealed_token IS NOT NULL AND token_expires_at <= now()
		AND token_expires_at >= 'epoch'::timestamptz + :after * interval '1 microsecond'
	ORDER BY token_expires_at LIMIT :count FOR UPDATE SKIP LOCKED
), purged AS (
	UPDATE outbox SET sealed_token = NULL FROM expired WHERE outbox.pk = expired.pk
	RETURNING 1
)
SELECT (SELECT count(*) FROM purged) AS purged,
	COALESCE((SELECT EXTRACT(epoch FROM max(token_expires_at)) * 1000000 FROM expired),
		0)::bigint AS reached
