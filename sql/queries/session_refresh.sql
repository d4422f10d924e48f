-- What a refresh without rotation needs to know. It writes nothing; session_touch does, rarely.
--
-- parameters: user_id uuid, session_id uuid, touch_after bigint
-- row: generation bigint, rotated_at bigint, in_grace boolean, expires_at bigint, stale boolean,
--     user_pk bigint
SELECT generation, floor(EXTRACT(epoch FROM rotated_at))::bigint AS rotated_at,
	COALESCE(grace_until > now(), false) AS in_grace,
	floor(EXTRACT(epoch FROM expires_at))::bigint AS expires_at,
	last_used_at < now() - make_interval(secs => :touch_after) AS stale, user_pk
FROM living_sessions WHERE user_id = :user_id AND session_id = :session_id
