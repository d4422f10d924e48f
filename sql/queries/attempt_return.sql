-- Gives a try back that was counted but never judged.
--
-- parameters: taken text
-- row: returned boolean
SELECT true AS returned FROM rate_limits_return(:taken, now())
