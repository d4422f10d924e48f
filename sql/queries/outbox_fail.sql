-- $1 bigint pk, $2 uuid claim, $3 text error
-- bigint pk
--
-- Given up, for people to see; its token is gone. No row where somebody else has claimed it since.
UPDATE outbox SET attempts = attempts + 1, last_error = $3, failed_at = now(), sealed_token = NULL,
	claimed_until = NULL, claimed_by = NULL
WHERE pk = $1 AND claimed_by = $2
RETURNING pk
