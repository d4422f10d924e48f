-- $1 text limits
-- bigint wait
--
-- Counts a try before anything else is done for it; wait is 0, or the seconds until the next.
SELECT wait FROM rate_limits_take($1, NULL, false, now())
