-- Begins the lease of what is still under this claim anew, and says how many mails that are.
--
-- parameters: claim uuid, lease bigint
-- row: renewed bigint
WITH renewed AS (
	UPDATE outbox SET claimed_until = now() + make_interval(secs => :lease)
	WHERE claimed_by = :claim
	RETURNING 1
)
SELECT count(*) AS renewed FROM renewed
