-- Given up, for people to see, who may have it sent again: it keeps its token while that lives. No
-- row where somebody else has claimed it since.
--
-- parameters: pk bigint, claim uuid, error text
-- row: pk bigint
UPDATE outbox SET attempts = attempts + 1, last_error = :error, failed_at = now(),
	sealed_token = CASE WHEN token_expires_at > now() THEN sealed_token END,
	claimed_until = NULL, claimed_by = NULL
WHERE pk = :pk AND claimed_by = :claim
RETURNING pk
