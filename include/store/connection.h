/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_STORE_CONNECTION_H
#define LATCHKEY_STORE_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "base/settings.h"
#include "base/waiter.h"
#include "store/statements.h"

/* A statement that was sent and not answered yet. */
struct pending;

/* Somebody who waits until another has connected. */
struct queued;

/*
 * One connection to PostgreSQL, made when it is first needed and again after it was lost, with
 * back-off. Whatever waits does so in the waiter, so that other tasks may run meanwhile, and no longer
 * than database.timeout; but libpq looks up the names of hosts with getaddrinfo(3), which blocks the
 * process: where name servers may be slow, database.url has hostaddr=. Never shared over fork().
 */
struct store {
	void *connection; /* PGconn, or NULL */
	const struct settings *settings;
	const struct log *log;
	bool prepared[STATEMENT_COUNT]; /* on this connection */
	int64_t retry_at; /* monotonic ms before which no connection is tried */
	int64_t used_at; /* monotonic ms of the last answer */
	unsigned failures; /* to connect, in a row */
	unsigned connections; /* opened so far: another number is another connection */
	struct waiter
		waiter; /* waiter_poll, or that of the loop whose tasks share the connection */
	struct pending *first; /* in the order in which they were sent */
	struct pending *last;
	bool connecting; /* one task does, and looks at the schema; others wait for it */
	struct queued *queue;
	unsigned first_host; /* of database.url, to begin with the next time */
};

/* Does not connect, and waits with poll(2). settings and log must outlive it. */
void store_init(struct store *store, const struct settings *settings, const struct log *log);

/* Disconnects; afterwards it may be used again. A zeroed store is taken too. */
void store_finish(struct store *store);

/* Connects where that is needed and allowed by the back-off, and refuses a schema that is not
 * this program's. Each host of database.url gets its share of database.timeout. May wait. False:
 * away, logged. */
__attribute__((warn_unused_result)) bool store_connect(struct store *store);

/* The socket to poll for notifications, or -1. Only the process that listens asks. */
int store_socket(const struct store *store);

/* LISTENs on the channel; false when away. */
__attribute__((warn_unused_result)) bool store_listen(struct store *store, const char *channel);

/* Reads what has come in; true if it was a notification. Loses the connection if it is lost. */
bool store_notified(struct store *store);

#endif
