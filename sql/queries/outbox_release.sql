-- Gives back what is still under this claim: it is due as it was before.
--
-- parameters: claim uuid
UPDATE outbox SET claimed_until = NULL, claimed_by = NULL WHERE claimed_by = :claim
