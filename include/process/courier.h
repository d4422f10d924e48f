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
#include "process/janitor.h"
#include "store/statements.h"
#include "tokens/keyring.h"

#define COURIER_BATCH 20

/*
 * Takes mails from the outbox to the mail server. It claims those that are due for a time (a lease),
 * sends them with no transaction open, and writes down for each what became of it as soon as that is
 * known. A mail that was acknowledged to a client is sent: once, or once more where a courier ended
 * between the mail server's answer and that note, or the answer was lost.
 */
struct courier {
	const struct settings *settings;
	const struct log *log;
	const struct keyring *keyring;
	struct store *store;
	struct arena arena;
	struct janitor janitor;
	/* Mails that went out while the database was away: their rows go before any other is sent. */
	struct outbox_sent_parameters unsettled[COURIER_BATCH];
	size_t unsettled_count;
	bool accepted; /* with these settings a mail was taken, so they are good for sending */
};

/* settings, log, keyring and store must outlive it. The process is a courier's alone: what it frees is
 * overwritten from now on. */
void courier_init(struct courier *courier, const struct settings *settings, const struct log *log,
	const struct keyring *keyring, struct store *store);
void courier_finish(struct courier *courier);

/* One batch of what is due. True where there may be more at once. Waits for the database and for the
 * mail server; each mail has a deadline, behind which an alarm ends the process. */
bool courier_turn(struct courier *courier);

/* Milliseconds until there is something to do, if nobody calls before; -1: nobody knows of anything. */
int64_t courier_due(struct courier *courier);

/* The courier's process: turns, and the janitor's purges, until it is asked to stop. Returns the exit
 * status. */
int courier_run(struct courier *courier);

#endif
