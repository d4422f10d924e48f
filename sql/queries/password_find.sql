-- $1 bytea pair, $2 bytea network, $3 bytea account, $4 bigint allowed, $5 bigint seconds,
-- $6 bigint network_factor, $7 bigint account_factor, $8 uuid user_id, $9 uuid session_id
-- bigint wait, bigint pk, text password_hash
--
-- The password of a living session's user, to be verified again; counted like a log-in. No row
-- where the session is dead.
SELECT rate_limits_wait($1, $2, $3, $4, $5, $6, $7) AS wait, pk, password_hash
FROM users JOIN sessions ON sessions.user_pk = users.pk
WHERE users.id = $8 AND sessions.id = $9 AND expires_at > now() AND disabled_at IS NULL
