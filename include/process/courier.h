/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_COURIER_H
#define LATCHKEY_PROCESS_COURIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/settings.h"
#include "base/uuid.h"
#include "store/connection.h"
#include "tokens/keyring.h"

#define COURIER_BATCH 20
#define COURIER_PURGES 6 /* tables with rows that expire */

/*
 * Takes mails from the outbox to the mail server, and deletes what has expired. A mail that is due
 * is locked while it is under way and its row goes when it was taken: one that was acknowledged to
 * a client is sent, at least once, whatever dies.
 */
struct courier {
	const struct settings *settings;
	const struct log *log;
	const struct keyring *keyring;
	struct store *store;
	struct arena arena;
	/* Mails that went out but whose rows could not be deleted, for the database went away in
	 * between: they must not go out again. */
	struct uuid unsettled[COURIER_BATCH];
	size_t unsettled_count;
	int64_t purged_to
		[COURIER_PURGES]; /* microseconds since 1970, where there is more; 0: none */
	int64_t purge_at; /* monotonic ms of the next purge */
};

void courier_init(struct courier *courier, const struct settings *settings, const struct log *log,
	const struct keyring *keyring, struct store *store);
void courier_finish(struct courier *courier);

/* One batch of what is due. True where there may be more at once. */
bool courier_turn(struct courier *courier);

/* One small batch of each table's expired rows. True where there may be more. */
bool courier_purge(struct courier *courier);

/* Milliseconds until there is something to do, if nobody calls before; -1: nobody knows of anything. */
int64_t courier_due(struct courier *courier);

/* The courier's process: turns and purges until it is asked to stop. Returns the exit status. */
int courier_run(struct courier *courier);

#endif
