-- Whoever asks for a mail with a link does not learn from the time of the answer whether there is an
-- account: the request writes this row in each case, and the courier finds out whose it is. Then it
-- makes the token valid, or drops the mail.
ALTER TABLE outbox
	-- of the token in the link; until the courier has looked for the account
	ADD COLUMN token_digest bytea,
	-- its life counts from the request
	ADD COLUMN token_expires_at timestamptz,
	-- the client that asked, for the event that the courier writes; NULL afterwards
	ADD COLUMN requested_from text,
	-- the courier asks for the name, which a mail has only where the address is verified
	DROP COLUMN full_name;

-- Mails that were given up keep their token while it lives, so that they can be sent again.
CREATE INDEX outbox_tokens ON outbox (token_expires_at)
	WHERE failed_at IS NOT NULL AND sealed_token IS NOT NULL;
