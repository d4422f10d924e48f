/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_STORE_PIPELINE_H
#define LATCHKEY_STORE_PIPELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/connection.h"

/*
 * Several requests of one process on one connection: each sends its statement behind those of the
 * others (libpq's pipeline mode) and pauses until its own answer is there. Each statement is a
 * transaction of its own, and fails alone. There are no transactions of several statements then.
 */

/* From now on whoever waits for a statement calls pause, which returns when *over is true. */
void store_share(struct store *store, store_pause *pause, void *context);

/* Reads what has come, without waiting; who got an answer is over. So are all when the connection is
 * lost, or when the first has waited for database.timeout. Call it when store_socket() is readable
 * and at store_due(). */
void store_read(struct store *store);

/* When to read at the latest (monotonic ms): the first who waits has waited long enough then, or
 * something has come in already; -1: nobody waits. */
int64_t store_due(const struct store *store);

#endif
