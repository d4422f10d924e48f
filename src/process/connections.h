/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_CONNECTIONS_H
#define LATCHKEY_PROCESS_CONNECTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "process/handoff.h"
#include "process/loop.h"

/*
 * The connections of a process, in a table of fixed size. One that says nothing is an entry here and
 * no more; one that has begun to speak is served by a task. When the table is full the longest idle
 * connection is closed; when none is idle nothing is accepted, and new ones wait in the backlog.
 */
struct connections;

/* Serves the request that has begun, in a task. ahead: what was read of it, until the task waits for
 * the first time. peer waits for this connection. True: it is kept for another request. */
typedef bool connection_serve(
	void *context, int socket, struct text ahead, const struct waiter *peer);

struct connections_settings {
	int listener; /* non-blocking */
	const struct handoff
		*handoff; /* for idle ones at the end, and from others; NULL: there is none */
	unsigned maximum; /* entries of the table */
	int64_t patience_ms; /* how long a new connection may say nothing */
	connection_serve *serve;
	void *context;
};

/* The settings' pointers, and the loop, outlive it. NULL with errno. */
__attribute__((warn_unused_result)) struct connections *connections_open(
	struct loop *loop, const struct connections_settings *settings);

/* Closes what is left, when no task serves any more. NULL is taken. */
void connections_close(struct connections *connections);

/* Closes those who have been silent for too long. Returns when to call it again (monotonic ms). */
int64_t connections_sweep(struct connections *connections);

/* From now on nothing is accepted, and idle connections are handed off or closed. */
void connections_drain(struct connections *connections);

/* After connections_drain(): whether nobody is left but those who are served, as far as there is
 * room where they go. Call it again while it is false. */
bool connections_drained(struct connections *connections);

#endif
