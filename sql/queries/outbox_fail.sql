-- $1 bigint pk, $2 text error
--
-- Given up, for people to see; its token is gone.
UPDATE outbox SET attempts = attempts + 1, last_error = $2, failed_at = now(), sealed_token = NULL
WHERE pk = $1
