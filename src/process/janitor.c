/* SPDX-License-Identifier: MIT */
/*
 * Rows that have expired are of no use to anybody, so there is no hurry: they go in small batches,
 * and mostly nothing is done.
 */
#include "process/janitor.h"

#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "store/statement.h"

#define PURGE_MS 30000
#define PURGE_ROWS 50
#define PURGE_PAGES 8
/* Purging gets a hundredth of the time, so that fewer than one request in a hundred runs beside it. */
#define PURGE_SHARE 100
/* But a table that is walked page by page has been walked by then, however large it has become: what
 * requests without end can write in rate_limits goes as fast as it came. */
#define WALK_MS 60000

static const struct {
	enum statement statement;
	bool retained; /* for events.retention */
	bool walks; /* page by page, else from row to row by an index */
} purges[JANITOR_PURGES] = {
	{ STATEMENT_PURGE_SESSIONS, false, false },
	{ STATEMENT_PURGE_ONE_TIME_TOKENS, false, false },
	{ STATEMENT_PURGE_RATE_LIMITS, false, true },
	{ STATEMENT_PURGE_KNOWN_NETWORKS, false, false },
	{ STATEMENT_PURGE_EVENTS, true, false },
	{ STATEMENT_PURGE_OUTBOX, true, false },
	{ STATEMENT_PURGE_OUTBOX_TOKENS, false, false },
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
	enum { PURGED, REACHED, STEPS };
	enum statement statement = purges[which].statement;
	bool walks = purges[which].walks;
	struct bind binds[] = { bind_integer(walks ? PURGE_PAGES : PURGE_ROWS),
		bind_integer(janitor->after[which]),
		bind_integer(janitor->settings->events_retention) };
	struct rows rows;
	janitor->more[which] = false;
	janitor->after[which] = 0;
	if (store_run(janitor->store, &janitor->arena, statement, binds,
		    purges[which].retained ? 3 : 2, &rows) != STORE_ROWS)
		return;
	int64_t purged = rows_integer(&rows, 0, PURGED);
	if (purged > 0)
		log_debug(janitor->log, "purged", "statement=%s rows=%lld",
			statement_texts[statement].name, (long long)purged);
	if (walks || purged == PURGE_ROWS)
		janitor->after[which] = rows_integer(&rows, 0, REACHED);
	janitor->more[which] = janitor->after[which] > 0;
	if (walks)
		janitor->steps = rows_integer(&rows, 0, STEPS);
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
