-- Limits that count failures, and nothing that was refused.
--
-- What was counted before is forgotten: its keys were made in another way.

DROP FUNCTION rate_limits_wait(bytea, bytea, bytea, bigint, bigint, bigint, bigint);
DROP FUNCTION rate_limit(bytea, bigint, interval);
DROP TABLE rate_limits;

-- One row for each thing that is counted, by the generic cell rate algorithm: each try keeps its
-- key busy for period / allowed, one after the other, and a key that would be busy for longer than
-- its period refuses. So busy_until (microseconds since 1970) is all there is to know about a key,
-- and a row whose busy_until has passed says nothing. Keys are digests: neither names nor addresses
-- are kept. There is no index but the key: what changes is in none, and who purges walks the table.
-- Unlogged: what was counted is forgotten after a crash.
CREATE UNLOGGED TABLE rate_limits (
	key uuid PRIMARY KEY,
	busy_until bigint NOT NULL
) WITH (fillfactor = 70);

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

-- Those of the last 30 days: the account's limit over all networks is not for them.
CREATE VIEW recent_networks AS
SELECT user_pk, network FROM known_networks WHERE seen_at > now() - interval '30 days';

-- A limit of a try, as the service asks for it: `allowed` tries in `seconds`. What a kind means:
--   network   key is what is counted
--   account   key and account together are
--   stranger  the same, but not for a network that the account knows
--   budget    the same as account, but a try that is too much is not refused: it is told `spent`
CREATE TYPE rate_limit AS (kind text, key uuid, allowed bigint, seconds bigint);

-- Gives a try back that rate_limits_take() counted. What has run out of it meanwhile is not given
-- back: that time belongs to others. A key that is not busy any more has no row.
CREATE FUNCTION rate_limits_return(taken text, moment timestamptz) RETURNS void
LANGUAGE plpgsql STRICT SET enable_seqscan = off AS $$
DECLARE
	instant bigint := EXTRACT(epoch FROM moment) * 1000000;
	keys uuid[] := split_part(taken, ' ', 1);
	spacings bigint[] := split_part(taken, ' ', 2);
	untils bigint[] := split_part(taken, ' ', 3);
	remainder bigint;
BEGIN
	FOR i IN 1 .. cardinality(keys) LOOP
		remainder := LEAST(spacings[i], untils[i] - instant);
		CONTINUE WHEN remainder <= 0;
		DELETE FROM rate_limits WHERE key = keys[i] AND busy_until - remainder <= instant;
		CONTINUE WHEN FOUND;
		UPDATE rate_limits SET busy_until = busy_until - remainder WHERE key = keys[i];
	END LOOP;
END $$;

-- Counts one try under all of `limits` (an array of rate_limit), or under none. `wait` is 0, or the
-- seconds until none of them refuses; `spent` says that a budget is exhausted: in both cases nothing
-- was written. `taken` is for rate_limits_return(), once the try has turned out to be right.
--
-- Rows are locked in the order of the array. It is the same for all tries of a kind, and each place
-- in it has keys of its own, so that no two tries wait for each other.
--
-- A key that is busy for a minute longer than its limit allows was written before the clock was set
-- back, or the setting made smaller: it counts as free. Less than that are tries that waited for a
-- lock.
CREATE FUNCTION rate_limits_take(limits text, account text, known boolean, moment timestamptz,
	OUT wait bigint, OUT spent boolean, OUT taken text)
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
	second CONSTANT bigint := 1000000;
	tolerance CONSTANT bigint := 60 * second;
	instant bigint := EXTRACT(epoch FROM moment) * second;
	one rate_limit;
	keys uuid[];
	spacings bigint[];
	ceilings bigint[]; -- until when keys may be busy
	untils bigint[]; -- until when they are
	busy bigint;
	n integer;
	over boolean;
BEGIN
	LOOP
		wait := 0;
		spent := false;
		n := 0;
		FOREACH one IN ARRAY limits::rate_limit[] LOOP
			CONTINUE WHEN one.kind = 'stranger' AND known;
			n := n + 1;
			keys[n] := CASE one.kind WHEN 'network' THEN one.key ELSE rate_limit_key(one.key, account) END;
			spacings[n] := one.seconds * second / one.allowed;
			ceilings[n] := instant + one.seconds * second;
			SELECT busy_until INTO busy FROM rate_limits WHERE key = keys[n];
			CONTINUE WHEN busy IS NULL OR busy + spacings[n] <= ceilings[n] OR busy > ceilings[n] + tolerance;
			IF one.kind = 'budget' THEN
				spent := true;
			ELSE
				wait := GREATEST(wait, (busy + spacings[n] - ceilings[n] + second - 1) / second);
			END IF;
		END LOOP;
		EXIT WHEN wait > 0 OR spent OR n = 0;
		WITH counted AS (
			INSERT INTO rate_limits AS held (key, busy_until)
			SELECT key, instant + spacing FROM unnest(keys, spacings) AS one (key, spacing)
			ON CONFLICT (key) DO UPDATE SET busy_until = excluded.busy_until
				+ CASE WHEN held.busy_until BETWEEN instant
					AND ceilings[array_position(keys, held.key)] + tolerance
				THEN held.busy_until - instant ELSE 0 END
			RETURNING busy_until
		)
		SELECT array_agg(busy_until) INTO untils FROM counted;
		taken := concat_ws(' ', keys, spacings, untils);
		over := false;
		FOR i IN 1 .. n LOOP
			over := over OR untils[i] > ceilings[i];
		END LOOP;
		EXIT WHEN NOT over;
		PERFORM rate_limits_return(taken, moment); -- others came in between
		taken := NULL;
	END LOOP;
END $$;
