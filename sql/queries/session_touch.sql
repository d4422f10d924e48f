-- $1 bigint user_pk, $2 uuid session_id, $3 bigint generation, $4 bigint session_idle
--
-- The present token of a living session was used: its predecessor is no longer honoured.
UPDATE sessions SET last_used_at = now(), grace_until = NULL,
	idle_until = session_idle_until($4), purge_at = session_purge_at($4)
WHERE user_pk = $1 AND id = $2 AND generation = $3
