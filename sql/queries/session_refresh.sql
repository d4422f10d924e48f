-- $1 uuid user_id, $2 uuid session_id, $3 bigint touch_after
-- bigint generation, bigint rotated_at, boolean in_grace, bigint expires_at, boolean stale,
-- bigint user_pk
--
-- What a refresh without rotation needs to know. It writes nothing; session_touch does, rarely.
SELECT generation, floor(EXTRACT(epoch FROM rotated_at))::bigint AS rotated_at,
	COALESCE(grace_until > now(), false) AS in_grace,
	floor(EXTRACT(epoch FROM expires_at))::bigint AS expires_at,
	last_used_at < now() - make_interval(secs => $3::bigint) AS stale, user_pk
FROM living_sessions WHERE user_id = $1 AND session_id = $2
