/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_WORKER_H
#define LATCHKEY_PROCESS_WORKER_H

#include "operations/operation.h"
#include "process/queue.h"

/* Called after an answer was sent, for what can be done while nobody waits. */
typedef void worker_idle(void *context);

/*
 * A worker's life: requests from the listening socket (non-blocking) and from kept connections, until
 * it is asked to stop; those in hand are finished. No peer keeps it longer than http.timeout.
 * What costs a hash goes into the queue of hashes, for the hashers; where that is NULL there are none,
 * and it is computed here. Kept connections sit with those workers that keep them, and come to them
 * by the other queue from everybody else, and from workers at their end; it is NULL where there is
 * nobody else. idle may be NULL. Returns the exit status.
 */
int worker_run(int listener, const struct context *context, const struct queue *hashes,
	const struct queue *kept, bool keeps, worker_idle *idle, void *idle_context);

#endif
