/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_STORE_PIPELINE_H
#define LATCHKEY_STORE_PIPELINE_H

#include "base/waiter.h"
#include "store/connection.h"

/*
 * Several tasks of one process on one connection: each sends its statement behind those of the others
 * (libpq's pipeline mode) and is suspended until its own answer is there. Each statement is a
 * transaction of its own, and fails alone. There are no transactions of several statements then.
 */

/* From now on tasks share the connection. Whenever store->connections has changed, the loop is to
 * watch store_socket(), and to call store_read() when it is readable. */
void store_share(struct store *store, const struct waiter *waiter);

/* Reads what has come, without waiting, and wakes those whose statements are done. So are all when
 * the connection is lost. */
void store_read(struct store *store);

#endif
