/* SPDX-License-Identifier: MIT */
/*
 * Rows that have expired are of no use to anybody, so there is no hurry: they go in small batches,
 * and mostly nothing is done.
 */
#include "process/janitor.h"

#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "store/statements.h"

#define PURGE_MS 30000
#define PURGE_ROWS 50
#define PURGE_PAGES 8
/* Purging gets a hundredth of the time, so that fewer than one request in a hundred runs beside it. */
#define PURGE_SHARE 100
/* A table that is walked page by page is walked within this time, however large it is: its share grows
 * with it, so that rows of rate_limits go as fast as requests can write them. */
#define WALK_MS 60000

/* What one call has purged; the rows of all these statements begin with it. */
struct purged {
	int64_t purged; /* rows */
	int64_t reached; /* where the next one begins; 0 at the end of what is walked */
	int64_t steps; /* calls that the whole table takes; walks only */
};

typedef enum store_result purger(struct janitor *janitor, int64_t after, struct purged *purged);

/* The statements' structs are of different types, with the same members: one function for each. */
#define PURGER(name, number, steps_of, ...)                                                        \
	static enum store_result purge_##name(                                                     \
		struct janitor *janitor, int64_t begin, struct purged *to)                         \
	{                                                                                          \
		const struct purge_##name##_parameters parameters = {                              \
			.count = (number), .after = begin, __VA_ARGS__                             \
		};                                                                                 \
		struct purge_##name##_row row;                                                     \
		enum store_result result =                                                         \
			store_purge_##name(janitor->store, &janitor->arena, &parameters, &row);    \
		*to = (struct purged){ row.purged, row.reached, steps_of };                        \
		return result;                                                                     \
	}
PURGER(sessions, PURGE_ROWS, 0, )
PURGER(one_time_tokens, PURGE_ROWS, 0, )
PURGER(rate_limits, PURGE_PAGES, row.steps, )
PURGER(known_networks, PURGE_ROWS, 0, )
PURGER(events, PURGE_ROWS, 0, .retention = janitor->settings->events_retention)
PURGER(outbox, PURGE_ROWS, 0, .retention = janitor->settings->events_retention)
PURGER(outbox_tokens, PURGE_ROWS, 0, )
#undef PURGER

static const struct {
	const char *name;
	purger *run;
	bool walks; /* page by page, else from row to row by an index */
} purges[JANITOR_PURGES] = {
	{ "sessions", purge_sessions, false },
	{ "one_time_tokens", purge_one_time_tokens, false },
	{ "rate_limits", purge_rate_limits, true },
	{ "known_networks", purge_known_networks, false },
	{ "events", purge_events, false },
	{ "outbox", purge_outbox, false },
	{ "outbox_tokens", purge_outbox_tokens, false },
};

void janitor_init(struct janitor *janitor, const struct settings *settings, const struct log *log,
	struct store *store)
{
	memset(janitor, 0, sizeof(*janitor));
	janitor->settings = settings;
	janitor->log = log;
	janitor->store = store;
	arena_init(&janitor->arena);
}

void janitor_finish(struct janitor *janitor)
{
	arena_finish(&janitor->arena);
}

/* One batch; what it has reached is where the next begins, and 0 when that is the end. */
static void purge(struct janitor *janitor, size_t which)
{
	bool walks = purges[which].walks;
	int64_t begin = janitor->after[which];
	struct purged done;
	janitor->more[which] = false;
	janitor->after[which] = 0;
	if (purges[which].run(janitor, begin, &done) != STORE_ROWS)
		return;
	if (done.purged > 0)
		log_debug(janitor->log, "purged", "table=%s rows=%lld", purges[which].name,
			(long long)done.purged);
	if (walks || done.purged == PURGE_ROWS)
		janitor->after[which] = done.reached;
	janitor->more[which] = janitor->after[which] > 0;
	if (walks)
		janitor->steps = done.steps;
}

static bool is_purging(const struct janitor *janitor)
{
	for (size_t i = 0; i < JANITOR_PURGES; i++)
		if (janitor->more[i])
			return true;
	return false;
}

bool janitor_purge(struct janitor *janitor)
{
	int64_t now = clock_monotonic_ms();
	for (size_t i = 0; i < JANITOR_PURGES; i++) {
		if (!janitor->more[i] && now < janitor->look_at[i])
			continue;
		purge(janitor, i);
		janitor->look_at[i] = now + PURGE_MS;
	}
	arena_reset(&janitor->arena);
	return is_purging(janitor);
}

void janitor_purge_for(struct janitor *janitor, int64_t milliseconds)
{
	int64_t until = clock_monotonic_ms() + milliseconds;
	uint32_t anywhere;
	secret_random(&anywhere, sizeof(anywhere));
	for (size_t i = 0; i < JANITOR_PURGES; i++)
		janitor->after[i] = purges[i].walks ? anywhere : 0;
	while (janitor_purge(janitor) && clock_monotonic_ms() < until) {
	}
}

/* What one turn took says how long the next has to wait. */
static int64_t pause_after(const struct janitor *janitor, int64_t took)
{
	int64_t longest = PURGE_SHARE * took;
	int64_t walking = janitor->steps > 0 ? WALK_MS / janitor->steps : WALK_MS;
	longest = longest < walking ? longest : walking;
	return longest > took ? longest : took;
}

int64_t janitor_purge_when_due(struct janitor *janitor)
{
	int64_t began = clock_monotonic_ms();
	int64_t now = began;
	if (began >= janitor->purge_at) {
		bool more = janitor_purge(janitor);
		now = clock_monotonic_ms();
		int64_t pause = pause_after(janitor, now > began ? now - began : 1);
		janitor->purge_at = now + (more && pause < PURGE_MS ? pause : PURGE_MS);
	}
	return janitor->purge_at - now;
}
