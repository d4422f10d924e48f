-- The present token of a living session was used: its predecessor is no longer honoured.
--
-- parameters: user_pk bigint, session_id uuid, generation bigint, session_idle bigint
UPDATE sessions SET last_used_at = now(), grace_until = NULL,
	idle_until = session_idle_until(:session_idle), purge_at = session_purge_at(:session_idle)
WHERE user_pk = :user_pk AND id = :session_id AND generation = :generation
