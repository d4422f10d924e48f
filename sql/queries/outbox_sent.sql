-- $1 bigint pk
--
-- The mail is out: nothing of it is kept.
DELETE FROM outbox WHERE pk = $1
