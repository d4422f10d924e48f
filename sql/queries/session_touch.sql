-- $1 bigint user_pk, $2 uuid session_id, $3 bigint generation
--
-- The present token of a living session was used: its predecessor is no longer honoured.
UPDATE sessions SET last_used_at = now(), grace_until = NULL
WHERE user_pk = $1 AND id = $2 AND generation = $3
