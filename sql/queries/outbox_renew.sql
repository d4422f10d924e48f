-- $1 uuid claim, $2 bigint lease
-- bigint renewed
--
-- Begins the lease of what is still under this claim anew, and says how many mails that are.
WITH renewed AS (
	UPDATE outbox SET claimed_until = now() + make_interval(secs => $2::bigint)
	WHERE claimed_by = $1
	RETURNING 1
)
SELECT count(*) AS renewed FROM renewed
