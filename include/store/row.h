/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_STORE_ROW_H
#define LATCHKEY_STORE_ROW_H

#include "store/statement.h"

/* What the rooms of the store share, and nobody else calls. */

/* Waits until the socket is ready for `events` (poll) or the deadline (monotonic ms) has passed. */
__attribute__((warn_unused_result)) bool store_wait(
	struct store *store, short events, int64_t deadline);

/* Connects, without a look at the schema. False: away, logged. */
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
