-- $1 bigint pk, $2 uuid claim, $3 text error
-- bigint pk
--
-- Given up, for people to see, who may have it sent again: it keeps its token while that lives. No
-- row where somebody else has claimed it since.
UPDATE outbox SET attempts = attempts + 1, last_error = $3, failed_at = now(),
	sealed_token = CASE WHEN token_expires_at > now() THEN sealed_token END,
	claimed_until = NULL, claimed_by = NULL
WHERE pk = $1 AND claimed_by = $2
RETURNING pk
