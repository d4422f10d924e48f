/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_HASHER_H
#define LATCHKEY_PROCESS_HASHER_H

#include "operations/operation.h"
#include "process/queue.h"

/*
 * A hasher's life: requests from the queue of those that cost a hash, three in hand at most, until it
 * is asked to stop and nobody waits any more. Connections that are kept go to the other queue. Those
 * who have waited too long are told that the service is busy. It makes room for workers, so a flood
 * of log-ins slows nothing else; number is which hasher it is, from 0. Returns the exit status.
 */
int hasher_run(const struct context *context, const struct queue *hashes, const struct queue *kept,
	unsigned number);

#endif
