/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_SUPERVISOR_H
#define LATCHKEY_PROCESS_SUPERVISOR_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/log.h"

#define SUPERVISOR_SERVICES 3

/* Children of one kind. */
struct service {
	const char *name;
	/* how many there shall be; asked at the start and after each reload */
	unsigned (*count)(void *context);
	/* in the child, the number-th of its kind from 0, with all signals of the supervisor blocked;
	 * its result is the exit status */
	int (*run)(void *context, unsigned number);
};

/*
 * Keeps the children alive. It knows nothing of what they do, holds no connection and reads nothing
 * that a stranger wrote, so it is the process that does not fail.
 */
struct supervisor {
	const struct log *log;
	struct service services[SUPERVISOR_SERVICES];
	void *context; /* of all functions */
	/* SIGHUP: loads what is new for children to come; false keeps the old ones running */
	bool (*reload)(void *context);
	/* SIGUSR1, which is passed on to all children: reopens the log */
	void (*reopen)(void *context);
	/* SIGTERM: before the children are asked to stop */
	void (*stopping)(void *context);
	int stop_seconds; /* how long children may finish before they are killed */
};

/*
 * Forks all children and keeps their number until SIGTERM or SIGINT. One that dies is replaced at
 * once, or, if it had lived less than a second, after a pause that doubles up to five seconds.
 * SIGHUP reloads, starts as many new children as there shall be and then asks the old ones to stop:
 * there is no moment without children. Returns the exit status.
 */
int supervisor_run(const struct supervisor *supervisor);

#endif
