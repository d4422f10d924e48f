-- Counts a try before anything else is done for it; wait is 0, or the seconds until the next.
--
-- parameters: limits text
-- row: wait bigint
SELECT wait FROM rate_limits_take(:limits, NULL, false, now())
