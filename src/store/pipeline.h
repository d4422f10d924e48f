/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_STORE_PIPELINE_H
#define LATCHKEY_STORE_PIPELINE_H

#include "store/store.h"

/* A statement that was sent, on the stack of who waits for its answer. */
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

/* Reads what has come, without waiting, and wakes those whose statements are done. */
void pipeline_read(struct store *store);

/* Closes the connection. All statements are done, without an answer. */
void pipeline_close(struct store *store);

/* The same, when the connection is of no more use: logs why. */
void pipeline_lose(struct store *store, const char *what);

#endif
