-- Rotation (RFC 9700 section 4.14). The present token moves the session on to the next
-- generation; its predecessor, in its grace, yields the successor that there is; anything else
-- is theft and ends the session. The session is locked first, so simultaneous refreshes come
-- one after the other and agree. With a grace of 0 no predecessor is honoured, not even that one. The
-- user is not locked: a statement that locks one row alone cannot deadlock.
--
-- parameters: user_id uuid, session_id uuid, generation bigint, grace bigint,
--     session_idle bigint, client text
-- row: generation bigint, rotated_at bigint, expires_at bigint, stolen boolean
WITH held AS MATERIALIZED (
	SELECT sessions.user_pk, sessions.id, sessions.generation, sessions.rotated_at,
		sessions.expires_at, sessions.generation = :generation + 1
			AND COALESCE(sessions.grace_until > now(), false) AS in_grace
	FROM living_sessions AS living JOIN sessions
		ON sessions.user_pk = living.user_pk AND sessions.id = living.session_id
	WHERE living.user_id = :user_id AND living.session_id = :session_id
	FOR NO KEY UPDATE OF sessions
), rotated AS (
	UPDATE sessions SET generation = held.generation + 1, rotated_at = now(),
		last_used_at = now(),
		grace_until = CASE WHEN :grace > 0 THEN now() + make_interval(secs => :grace) END,
		idle_until = session_idle_until(:session_idle), purge_at = session_purge_at(:session_idle)
	FROM held
	WHERE sessions.user_pk = held.user_pk AND sessions.id = held.id AND held.generation = :generation
	RETURNING sessions.generation, sessions.rotated_at
), ended AS (
	DELETE FROM sessions USING held
	WHERE sessions.user_pk = held.user_pk AND sessions.id = held.id
		AND held.generation <> :generation AND NOT in_grace
	RETURNING sessions.user_pk, sessions.id
), noted AS (
	INSERT INTO events (kind, user_pk, session_id, client)
	SELECT 'refresh_token_reused', user_pk, id, :client FROM ended
)
SELECT COALESCE(rotated.generation, held.generation) AS generation,
	floor(EXTRACT(epoch FROM COALESCE(rotated.rotated_at, held.rotated_at)))::bigint AS rotated_at,
	floor(EXTRACT(epoch FROM expires_at))::bigint AS expires_at,
	held.generation <> :generation AND NOT in_grace AS stolen
FROM held LEFT JOIN rotated ON true
