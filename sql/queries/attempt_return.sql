-- $1 text taken
-- boolean returned
--
-- Gives a try back that was counted but never judged.
SELECT true AS returned FROM rate_limits_return($1, now())
