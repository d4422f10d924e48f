/* SPDX-License-Identifier: MIT */
/*
 * Rows that have expired are of no use to anybody, so there is no hurry: they go in small batches,
 * and mostly nothing is done.
 */
#include "process/janitor.h"

#include <string.h>

#include "base/clock.h"
#include "store/statement.h"

#define PURGE_MS 30000
#define PURGE_ROWS 50
/* Purging gets a hundredth of the time, so that fewer than one request in a hundred runs beside it. */
#define PURGE_SHARE 100

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

static const struct {
	enum statement statement;
	bool retained; /* for events.retention */
} purges[JANITOR_PURGES] = {
	{ STATEMENT_PURGE_SESSIONS, false },
	{ STATEMENT_PURGE_ONE_TIME_TOKENS, false },
	{ STATEMENT_PURGE_RATE_LIMITS, false },
	{ STATEMENT_PURGE_KNOWN_NETWORKS, false },
	{ STATEMENT_PURGE_EVENTS, true },
	{ STATEMENT_PURGE_OUTBOX, true },
};

/* One batch; what it has reached is where the next begins, and 0 when that is the end. */
static void purge(struct janitor *janitor, size_t which)
{
	enum { PURGED, REACHED };
	enum statement statement = purges[which].statement;
	struct bind binds[] = { bind_integer(PURGE_ROWS), bind_integer(janitor->purged_to[which]),
		bind_integer(janitor->settings->events_retention) };
	struct rows rows;
	janitor->purged_to[which] = 0;
	if (store_run(janitor->store, &janitor->arena, statement, binds,
		    purges[which].retained ? 3 : 2, &rows) != STORE_ROWS)
		return;
	int64_t purged = rows_integer(&rows, 0, PURGED);
	if (purged > 0)
		log_debug(janitor->log, "purged", "statement=%s rows=%lld",
			statement_texts[statement].name, (long long)purged);
	if (purged == PURGE_ROWS)
		janitor->purged_to[which] = rows_integer(&rows, 0, REACHED);
}

static bool is_purging(const struct janitor *janitor)
{
	for (size_t i = 0; i < JANITOR_PURGES; i++)
		if (janitor->purged_to[i] > 0)
			return true;
	return false;
}

bool janitor_purge(struct janitor *janitor)
{
	bool going_on = is_purging(janitor);
	for (size_t i = 0; i < JANITOR_PURGES; i++)
		if (!going_on || janitor->purged_to[i] > 0)
			purge(janitor, i);
	arena_reset(&janitor->arena);
	return is_purging(janitor);
}

/* Milliseconds until the next purge is due, which this may have been. */
int64_t janitor_purge_when_due(struct janitor *janitor)
{
	int64_t began = clock_monotonic_ms();
	int64_t now = began;
	if (began >= janitor->purge_at) {
		bool more = janitor_purge(janitor);
		now = clock_monotonic_ms();
		int64_t pause = PURGE_SHARE * (now > began ? now - began : 1);
		janitor->purge_at = now + (more && pause < PURGE_MS ? pause : PURGE_MS);
	}
	return janitor->purge_at - now;
}
