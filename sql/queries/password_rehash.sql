-- $1 bigint user_pk, $2 text old_hash, $3 text new_hash
-- bigint pk
--
-- The same password at today's cost, after a log-in that proved it.
UPDATE users SET password_hash = $3 WHERE pk = $1 AND password_hash = $2
RETURNING pk
