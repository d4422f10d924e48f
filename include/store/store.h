/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_STORE_STORE_H
#define LATCHKEY_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/settings.h"
#include "base/text.h"
#include "base/uuid.h"
#include "base/waiter.h"

/*
 * PostgreSQL. The statements are in store/statements.h, which is made from sql/queries/: a struct of
 * parameters, a struct of the row and a function for each. In all of them TEXT_NONE and the nil UUID
 * are SQL NULL; a bigint or boolean that is NULL is read as 0 or false.
 */

#define STATEMENTS_MAXIMUM 128

/* A statement that was sent and not answered yet. */
struct pending;

/* A task that waits until another has connected. */
struct queued;

/*
 * One connection to PostgreSQL, made when it is first needed and again after it was lost, with
 * back-off. Whatever waits does so in the waiter, so that other tasks may run meanwhile, and no longer
 * than database.timeout; but libpq looks up the names of hosts with getaddrinfo(3), which blocks the
 * process: where name servers may be slow, database.url has hostaddr=. Never shared over fork().
 *
 * Several tasks of one process may use it: each sends its statement behind those of the others
 * (libpq's pipeline mode) and is suspended until its own answer is there. Each statement is a
 * transaction of its own, and fails alone. There are no transactions of several statements.
 */
struct store {
	void *connection; /* PGconn, or NULL */
	const struct settings *settings;
	const struct log *log;
	bool prepared[STATEMENTS_MAXIMUM]; /* on this connection */
	int64_t retry_at; /* monotonic ms before which no connection is tried */
	int64_t used_at; /* monotonic ms of the last answer */
	unsigned failures; /* to connect, in a row */
	unsigned connections; /* opened and closed so far: another number is another connection */
	struct waiter waiter; /* waiter_poll, or that of the loop whose tasks share it */
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

/* From now on tasks share the connection. Whenever store->connections has changed, the loop is to
 * watch store_socket(), and to call store_read() when it is readable. */
void store_share(struct store *store, const struct waiter *waiter);

/* Reads what has come, without waiting, and wakes those whose statements are done. So are all when
 * the connection is lost. */
void store_read(struct store *store);

/* Connects where that is needed and allowed by the back-off, and refuses a schema that is not
 * this program's. Each host of database.url gets its share of database.timeout. May wait. False:
 * away, logged. */
__attribute__((warn_unused_result)) bool store_connect(struct store *store);

/* The socket to poll for answers and notifications; -1: no connection is open. */
int store_socket(const struct store *store);

/* LISTENs on the channel. May wait. False: away. */
__attribute__((warn_unused_result)) bool store_listen(struct store *store, const char *channel);

/* Reads what has come in; true if it was a notification. Loses the connection if it is lost. */
bool store_notified(struct store *store);

enum store_result {
	STORE_ROWS, /* one at least; or the statement has none to give, and ran */
	STORE_NONE, /* it ran, and there is no row */
	STORE_CONFLICT, /* a unique constraint; nothing was changed */
	STORE_AWAY, /* no answer in time, or no connection: what was sent may have happened */
	STORE_FAILED, /* the server refused the statement: a bug or a damaged schema, logged */
};

/* What a statement gave: structs of its row, one behind the other, wholly in the arena. */
struct statement_rows {
	size_t count;
	const void *at;
	const char *constraint; /* STORE_CONFLICT only: its name */
};

/*
 * Runs one statement, in one round trip (two the first time on a connection), for the functions of
 * store/statements.h alone. It is sent once: a failure after sending is not repeated. May wait. rows is
 * written in every case.
 */
__attribute__((warn_unused_result)) enum store_result store_run(struct store *store,
	struct arena *arena, unsigned statement, const void *parameters,
	struct statement_rows *rows);

#endif
