-- A mail under way belongs to the courier that has claimed it, until its lease ends. No transaction
-- is open meanwhile, and what a courier that died has left comes due again by itself.
ALTER TABLE outbox
	ADD COLUMN claimed_until timestamptz,
	-- which claim it was: only its holder says what became of the mail
	ADD COLUMN claimed_by uuid,
	-- from then on mail.give_up counts
	ADD COLUMN first_attempt_at timestamptz;
UPDATE outbox SET first_attempt_at = created_at WHERE attempts > 0;

DROP INDEX outbox_due;
CREATE INDEX outbox_due ON outbox (GREATEST(next_attempt_at, claimed_until)) WHERE failed_at IS NULL;
CREATE INDEX outbox_claimed ON outbox (claimed_by) WHERE claimed_by IS NOT NULL;
