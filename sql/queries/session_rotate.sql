-- $1 uuid user_id, $2 uuid session_id, $3 bigint generation, $4 bigint grace,
-- $5 bigint session_idle, $6 text client
-- bigint generation, bigint rotated_at, bigint expires_at, boolean stolen
--
-- Rotation (RFC 9700 section 4.14). The present token moves the session on to the next
-- generation; its predecessor, in its grace, yields the successor that there is; anything else
-- is theft and ends the session. The rows are locked first, so simultaneous refreshes come
-- one after the other and agree. With a grace of 0 no predecessor is honoured, not even that one.
WITH held AS MATERIALIZED (
	SELECT user_pk, session_id AS id, generation, rotated_at, expires_at,
		generation = $3::bigint + 1 AND COALESCE(grace_until > now(), false) AS in_grace
	FROM living_sessions WHERE user_id = $1 AND session_id = $2
	FOR NO KEY UPDATE
), rotated AS (
	UPDATE sessions SET generation = held.generation + 1, rotated_at = now(),
		last_used_at = now(),
		grace_until = CASE WHEN $4::bigint > 0 THEN now() + make_interval(secs => $4::bigint) END,
		idle_until = session_idle_until($5), purge_at = session_purge_at($5)
	FROM held
	WHERE sessions.user_pk = held.user_pk AND sessions.id = held.id AND held.generation = $3
	RETURNING sessions.generation, sessions.rotated_at
), ended AS (
	DELETE FROM sessions USING held
	WHERE sessions.user_pk = held.user_pk AND sessions.id = held.id
		AND held.generation <> $3 AND NOT in_grace
	RETURNING sessions.user_pk, sessions.id
), noted AS (
	INSERT INTO events (kind, user_pk, session_id, client)
	SELECT 'refresh_token_reused', user_pk, id, $6 FROM ended
)
SELECT COALESCE(rotated.generation, held.generation) AS generation,
	floor(EXTRACT(epoch FROM COALESCE(rotated.rotated_at, held.rotated_at)))::bigint AS rotated_at,
	floor(EXTRACT(epoch FROM expires_at))::bigint AS expires_at,
	held.generation <> $3 AND NOT in_grace AS stolen
FROM held LEFT JOIN rotated ON true
