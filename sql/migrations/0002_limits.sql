-- Limits that count failures, and nothing that was refused.
--
-- What was counted before is forgotten: its keys were made in another way.

DROP FUNCTION rate_limits_wait(bytea, bytea, bytea, bigint, bigint, bigint, bigint);
DROP FUNCTION rate_limit(bytea, bigint, interval);
DROP TABLE rate_limits;

-- One row for each thing that is counted, by the generic cell rate algorithm: each try keeps its
-- key busy for period / allowed, one after the other, and a key that would be busy for longer than
-- its period refuses. busy_until is therefore all that there is to know about a key, and a row
-- whose busy_until has passed knows nothing. Keys are digests: neither names nor addresses are
-- kept. Unlogged: what was counted is forgotten after a crash.
CREATE UNLOGGED TABLE rate_limits (
	key uuid PRIMARY KEY,
	busy_until timestamptz NOT NULL,
	-- busy_until or later, in steps, so that the index on it rarely changes
	expires_at timestamptz NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX rate_limits_expires_at ON rate_limits (expires_at);

-- The networks from which an account was logged in to, as digests of both.
CREATE TABLE known_networks (
	user_pk bigint NOT NULL REFERENCES users ON DELETE CASCADE,
	network uuid NOT NULL,
	seen_at timestamptz NOT NULL,
	PRIMARY KEY (user_pk, network)
);
CREATE INDEX known_networks_seen_at ON known_networks (seen_at);

-- The digest of a key and something that belongs to it.
CREATE FUNCTION rate_limit_key(key uuid, part text) RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT encode(substring(sha256(uuid_send(key) || convert_to(part, 'UTF8')) FOR 16), 'hex')::uuid
$$;

-- Whether the user logged in from the network in the last 30 days. `network` is the service's digest
-- of the network; that of another user is another.
CREATE FUNCTION network_is_known(user_pk bigint, network uuid) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT EXISTS (SELECT FROM known_networks
		WHERE known_networks.user_pk = network_is_known.user_pk
			AND known_networks.network = rate_limit_key(network_is_known.network, network_is_known.user_pk::text)
			AND seen_at > now() - interval '30 days')
$$;

-- A limit of a try, as the service asks for it: `allowed` tries in `seconds`. Of allowed = 0 there
-- is no limit. What a kind means:
--   network   key is what is counted
--   account   key and account together are
--   stranger  the same, but not for a network that the account knows
--   budget    the same as account, but a try that is too much is not refused: it is told `spent`
CREATE TYPE rate_limit AS (kind text, key uuid, allowed bigint, seconds bigint);

-- A try that was counted: it keeps its key busy for `spacing` before `busy_until`.
CREATE TYPE rate_try AS (key uuid, period interval, spacing interval);
CREATE TYPE rate_taken AS (key uuid, busy_until timestamptz, spacing interval);

-- Gives tries back that were counted. A try that has run out meanwhile is not given back: the time
-- that it would free belongs to another.
CREATE FUNCTION rate_limits_return(taken text, moment timestamptz) RETURNS void
LANGUAGE plpgsql SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	UPDATE rate_limits SET busy_until = busy_until - left_over
	FROM (SELECT held.key, LEAST(one.spacing, one.busy_until - moment) AS left_over
		FROM unnest(taken::rate_taken[]) AS one JOIN rate_limits AS held USING (key)
		WHERE one.busy_until > moment
		ORDER BY held.key FOR UPDATE OF held) AS ordered
	WHERE rate_limits.key = ordered.key;
END $$;

-- Counts one try under all of `limits` (an array of rate_limit), or under none. `wait` is 0, or the
-- seconds until none of them refuses; `spent` says that a budget is exhausted: in both cases nothing
-- was written. `taken` is what rate_limits_return() takes, once the try has turned out to be right.
-- Keys are locked in their order, so that no two tries wait for each other.
CREATE FUNCTION rate_limits_take(limits text, account text, known boolean, moment timestamptz,
	OUT wait bigint, OUT spent boolean, OUT taken text)
LANGUAGE plpgsql SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
	tries rate_try[];
	counted rate_taken[];
	stale boolean;
	overrun boolean;
BEGIN
	LOOP
		-- what is refused is found out without a lock
		SELECT array_agg(ROW(one.key, period, spacing)::rate_try ORDER BY one.key),
			COALESCE(ceil(EXTRACT(epoch FROM
				max(busy_until + spacing - moment - period) FILTER (WHERE kind <> 'budget'))), 0),
			COALESCE(bool_or(busy_until + spacing > moment + period) FILTER (WHERE kind = 'budget'), false),
			COALESCE(bool_or(busy_until > moment + period + interval '1 minute'), false)
		INTO tries, wait, spent, stale
		FROM (SELECT kind, CASE kind WHEN 'network' THEN key ELSE rate_limit_key(key, account) END AS key,
				make_interval(secs => seconds) AS period,
				seconds * 1000000 / allowed * interval '1 microsecond' AS spacing
			FROM unnest(limits::rate_limit[])
			WHERE allowed > 0 AND NOT (kind = 'stranger' AND known IS TRUE) OFFSET 0) AS one
		LEFT JOIN rate_limits AS held ON held.key = one.key;
		wait := GREATEST(wait, 0);
		IF stale THEN
			DELETE FROM rate_limits AS held USING unnest(tries) AS one
			WHERE held.key = one.key AND busy_until > moment + period + interval '1 minute';
			CONTINUE;
		END IF;
		EXIT WHEN wait > 0 OR spent;
		WITH counted AS (
			INSERT INTO rate_limits AS held (key, busy_until, expires_at)
			SELECT key, moment + spacing, moment + spacing + interval '1 minute'
			FROM unnest(tries) ORDER BY key
			ON CONFLICT (key) DO UPDATE SET
				busy_until = GREATEST(held.busy_until, moment) + (excluded.busy_until - moment),
				expires_at = CASE WHEN held.expires_at > GREATEST(held.busy_until, moment) + (excluded.busy_until - moment)
					THEN held.expires_at ELSE GREATEST(held.busy_until, moment) + (excluded.expires_at - moment) END
			RETURNING key, busy_until
		)
		SELECT bool_or(busy_until > moment + period),
			array_agg(ROW(key, busy_until, spacing)::rate_taken)::text
		INTO overrun, taken
		FROM counted JOIN unnest(tries) USING (key);
		EXIT WHEN overrun IS NOT TRUE;
		PERFORM rate_limits_return(taken, moment); -- another try came in between
	END LOOP;
END $$;
