/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_WORKER_H
#define LATCHKEY_PROCESS_WORKER_H

#include "operations/operation.h"
#include "process/handoff.h"
#include "process/hash_channel.h"

/* What else the process does, outside of tasks; it must not wait. served: requests may have been
 * answered since the last call. Returns when to call it again (monotonic ms) if none is answered. */
typedef int64_t worker_chore(void *context, bool served);

struct worker_settings {
	int listener; /* non-blocking */
	const struct context *context; /* its door for hashes is the worker's business */
	const struct handoff
		*handoff; /* for idle connections at the end, and from others; or NULL */
	const struct hash_channel *hashers; /* NULL: hashes are computed here */
	unsigned number; /* of the worker, from 0: the hashers answer it by that */
	worker_chore *chore; /* or NULL */
	void *chore_context;
};

/*
 * A worker's life: requests from the listening socket and from connections that are kept, until it is
 * asked to stop; then those under way are finished. Returns the exit status.
 */
int worker_run(const struct worker_settings *settings);

#endif
