/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_STORE_ROW_H
#define LATCHKEY_STORE_ROW_H

#include "store/statement.h"

/* What the rooms of the store share, and nobody else calls. */

/* Waits until the socket is ready for `events` (poll) or the deadline (monotonic ms) has passed.
 * Others may have lost the connection meanwhile: false then too. */
__attribute__((warn_unused_result)) bool store_wait(
	struct store *store, short events, int64_t deadline);

/* When who sends a statement now has waited long enough (monotonic ms). */
int64_t store_deadline(const struct store *store);

/* Sends what libpq still holds. False: not in time, or the connection is lost. */
__attribute__((warn_unused_result)) bool store_flush(struct store *store, int64_t deadline);

/* On the stack of who waits for it. */
struct pending {
	const char *name; /* of the statement */
	int64_t deadline; /* monotonic ms */
	void *result; /* PGresult, of who waits when it is done; NULL: the connection was lost */
	void *who; /* is to be woken; NULL: nobody */
	bool done;
	struct pending *next;
};

/* Ends what libpq has taken as a statement, and sends it behind the others. May wait. False: the
 * connection was lost. */
__attribute__((warn_unused_result)) bool pending_submit(
	struct store *store, struct pending *pending, const char *name);

/* Waits until it is done. */
void pending_await(struct store *store, struct pending *pending);

/* All are done, without an answer. */
void pending_fail_all(struct store *store);

/* Connects, without a look at the schema. May wait. False: away, logged. */
__attribute__((warn_unused_result)) bool store_open(struct store *store);

/* The connection is of no more use: logs why, and closes it. */
void store_lose(struct store *store, const char *what);

/* Runs a command without parameters and result. False: away, and the connection is lost. */
__attribute__((warn_unused_result)) bool store_command(struct store *store, const char *sql);

/* store_run() on the connection as it is: it does not connect. */
__attribute__((warn_unused_result)) enum store_result store_run_here(struct store *store,
	struct arena *arena, enum statement statement, const struct bind *binds, size_t count,
	struct rows *rows);

/* Copies a result (PGresult, binary format) into the arena. */
struct rows rows_of(struct arena *arena, const void *result);

#endif
