/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_QUEUE_H
#define LATCHKEY_PROCESS_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Connections on their way from one process to another: those whose request costs a hash, from the
 * workers to the hashers, and those that are kept for another request, to a worker. The kernel keeps
 * it: a process that is killed takes nothing along but what it had in hand.
 */
struct queue {
	int in;
	int out;
};

/* About so many may wait, twice as many at most. False with errno. */
__attribute__((warn_unused_result)) bool queue_open(struct queue *queue, unsigned length);
void queue_close(struct queue *queue);

/* Puts a connection behind the others, and the caller's own descriptor of it is closed. False: too
 * many wait, and the connection is the caller's as before. */
__attribute__((warn_unused_result)) bool queue_put(const struct queue *queue, int connection);

/* Whether somebody waits since before then (monotonic ms). */
bool queue_waits(const struct queue *queue, int64_t before);

/* The connection that waits longest, and since when (monotonic ms); -1: none does. The connection is
 * the caller's. `out` is readable when there is one, though another may be quicker. */
int queue_take(const struct queue *queue, int64_t *since);

#endif
