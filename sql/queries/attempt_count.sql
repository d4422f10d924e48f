-- $1 bytea pair, $2 bytea network, $3 bytea account, $4 bigint allowed, $5 bigint seconds,
-- $6 bigint network_factor, $7 bigint account_factor
-- bigint wait
--
-- Counts a try before anything else is done for it; wait is 0, or the seconds until the next.
SELECT rate_limits_wait($1, $2, $3, $4, $5, $6, $7) AS wait
