-- The same password at today's cost, after a log-in that proved it.
--
-- parameters: user_pk bigint, old_hash text, new_hash text
-- row: pk bigint
UPDATE users SET password_hash = :new_hash WHERE pk = :user_pk AND password_hash = :old_hash
RETURNING pk
