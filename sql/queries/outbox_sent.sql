-- $1 bigint pk, $2 uuid claim
-- bigint pk
--
-- The mail is out: nothing of it is kept. No row where somebody else has claimed it since.
DELETE FROM outbox WHERE pk = $1 AND claimed_by = $2
RETURNING pk
