/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_HANDS_H
#define LATCHKEY_PROCESS_HANDS_H

#include "operations/operation.h"

/*
 * The requests that a worker has in hand: while one waits for the database others are read and
 * answered, each on a desk of its own. Statements follow each other on the worker's one connection,
 * and neither end of it falls asleep over each.
 */
struct hands;

/* Gets a connection that is kept for another request, when its answer is out. */
typedef void hands_kept(void *context, int connection);

/* So many hands. context is shared by them and outlives them. Where there are several its store is
 * theirs alone from now on; a single one waits for it without letting go. NULL with errno. */
__attribute__((warn_unused_result)) struct hands *hands_open(
	const struct context *context, unsigned count, hands_kept *kept, void *kept_context);

/* NULL is taken; else no hand may be full. */
void hands_close(struct hands *hands);

/* How many have a request. */
unsigned hands_full(const struct hands *hands);

/* Serves a request of the connection (desk.h) until it is answered or waits for the database. One
 * hand must be free. */
void hands_take(struct hands *hands, int connection, bool hashes);

/* Goes on with those that need not wait any more. */
void hands_go_on(struct hands *hands);

#endif
