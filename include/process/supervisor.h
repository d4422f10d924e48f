/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_SUPERVISOR_H
#define LATCHKEY_PROCESS_SUPERVISOR_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/log.h"

/* Children of one kind. */
struct service {
	const char *name;
	unsigned count;
	int (*run)(void *context); /* in the child; its result is the exit status */
};

/*
 * Keeps the children alive. It knows nothing of what they do, holds no connection and reads nothing
 * that a stranger wrote, so it is the process that does not fail.
 */
struct supervisor {
	const struct log *log;
	const struct service *services;
	unsigned service_count;
	void *context; /* of run, reload, reaped and tend */
	/* SIGHUP: loads what is new for children to come; false keeps the old ones running */
	bool (*reload)(void *context);
	/* a child is dead; called before it is replaced */
	void (*reaped)(void *context, pid_t process);
	/* after SIGUSR1, and when its time is up: returns in how many ms again, -1: not before */
	int (*tend)(void *context);
	int stop_seconds; /* how long children may finish before they are killed */
};

/*
 * Forks all children and keeps their number until SIGTERM or SIGINT. One that dies is replaced at
 * once, or, if it had lived less than a second, after a pause that doubles up to five seconds.
 * SIGHUP reloads, starts a new child for each and then asks the old ones to stop: there is no
 * moment without children. Returns the exit status.
 */
int supervisor_run(const struct supervisor *supervisor);

#endif
