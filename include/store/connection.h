/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_STORE_CONNECTION_H
#define LATCHKEY_STORE_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "base/settings.h"
#include "store/statements.h"

/* Somebody who has sent a statement and waits until it is over. */
struct turn;

/* Lets others work until *over. */
typedef void store_pause(void *context, const bool *over);

/*
 * One connection to PostgreSQL, made when it is first needed and again after it was lost, with
 * back-off. Nothing here waits longer than database.timeout. Never shared over fork().
 */
struct store {
	void *connection; /* PGconn, or NULL */
	const struct settings *settings;
	const struct log *log;
	bool prepared[STATEMENT_COUNT]; /* on this connection */
	int64_t retry_at; /* monotonic ms before which no connection is tried */
	int64_t used_at; /* monotonic ms of the last answer */
	unsigned failures; /* to connect, in a row */
	unsigned connections; /* made so far: another number is another connection */
	store_pause *pause; /* several share it; NULL: whoever has sent a statement waits for it */
	void *pause_context;
	struct turn *first; /* of those who wait, in the order in which they have sent */
	struct turn *last;
	bool unread; /* answers may have come in while a statement was sent */
};

/* Does not connect. settings and log must outlive it. */
void store_init(struct store *store, const struct settings *settings, const struct log *log);

/* Disconnects; afterwards it may be used again. A zeroed store is taken too. */
void store_finish(struct store *store);

/* Connects where that is needed and allowed by the back-off, and refuses a schema that is not
 * this program's. False: away, logged. */
__attribute__((warn_unused_result)) bool store_connect(struct store *store);

/* The socket to poll for notifications, or -1. Only the process that listens asks. */
int store_socket(const struct store *store);

/* LISTENs on the channel; false when away. */
__attribute__((warn_unused_result)) bool store_listen(struct store *store, const char *channel);

/* Reads what has come in; true if it was a notification. Loses the connection if it is lost. */
bool store_notified(struct store *store);

#endif
