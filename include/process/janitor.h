/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_JANITOR_H
#define LATCHKEY_PROCESS_JANITOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/settings.h"
#include "store/store.h"

#define JANITOR_PURGES 7 /* statements, each for rows that expire */

/* Deletes what has expired, a few rows at a time, so that no request waits for it. */
struct janitor {
	const struct settings *settings;
	const struct log *log;
	struct store *store;
	struct arena arena;
	/* where the next batch begins: microseconds since 1970, or a page of the table */
	int64_t after[JANITOR_PURGES];
	bool more[JANITOR_PURGES];
	int64_t look_at[JANITOR_PURGES]; /* monotonic ms; before it only where there is more */
	int64_t steps; /* batches that the table takes which is walked page by page */
	int64_t purge_at; /* monotonic ms of the next purge */
};

/* settings, log and store must outlive it. */
void janitor_init(struct janitor *janitor, const struct settings *settings, const struct log *log,
	struct store *store);
void janitor_finish(struct janitor *janitor);

/* One small batch of each kind of expired rows that is due. True where there may be more. Waits for the
 * database. */
bool janitor_purge(struct janitor *janitor);

/* Batch after batch until nothing is left, or for so long: for a process that ends then. What it
 * walks it begins anywhere, so that it comes round in the end. */
void janitor_purge_for(struct janitor *janitor, int64_t milliseconds);

/* Purges if that is due. Returns the milliseconds until the next is. Waits for the database. */
int64_t janitor_purge_when_due(struct janitor *janitor);

#endif
