-- $1 uuid claim
--
-- Gives back what is still under this claim: it is due as it was before.
UPDATE outbox SET claimed_until = NULL, claimed_by = NULL WHERE claimed_by = $1
