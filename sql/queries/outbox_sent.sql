-- The mail is out: nothing of it is kept. No row where somebody else has claimed it since.
--
-- parameters: pk bigint, claim uuid
-- row: pk bigint
DELETE FROM outbox WHERE pk = :pk AND claimed_by = :claim
RETURNING pk
