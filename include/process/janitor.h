/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_JANITOR_H
#define LATCHKEY_PROCESS_JANITOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/settings.h"
#include "store/connection.h"

#define JANITOR_PURGES 6 /* tables with rows that expire */

/* Deletes what has expired, a few rows at a time, so that no request waits for it. */
struct janitor {
	const struct settings *settings;
	const struct log *log;
	struct store *store;
	struct arena arena;
	int64_t purged_to
		[JANITOR_PURGES]; /* microseconds since 1970, where there is more; 0: none */
	int64_t purge_at; /* monotonic ms of the next purge */
};

/* settings, log and store must outlive it. */
void janitor_init(struct janitor *janitor, const struct settings *settings, const struct log *log,
	struct store *store);
void janitor_finish(struct janitor *janitor);

/* One small batch of each table's expired rows. True where there may be more. Waits for the
 * database. */
bool janitor_purge(struct janitor *janitor);

/* Purges if that is due. Returns the milliseconds until the next is. Waits for the database. */
int64_t janitor_purge_when_due(struct janitor *janitor);

#endif
