/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_WORKER_H
#define LATCHKEY_PROCESS_WORKER_H

#include "operations/operation.h"
#include "process/queue.h"

/* Called after an answer was sent, for what can be done while nobody waits. */
typedef void worker_idle(void *context);

/*
 * A worker's life: one request at a time from the listening socket (non-blocking), until it is
 * asked to stop; the request in hand is finished. No request keeps it longer than http.timeout.
 * What costs a hash goes into the queue, for the hashers; where queue is NULL there are none, and it
 * is computed here. idle may be NULL. Returns the exit status.
 */
int worker_run(int listener, const struct context *context, const struct queue *queue,
	worker_idle *idle, void *idle_context);

#endif
