/* SPDX-License-Identifier: MIT */
#include "process/stop.h"

#include <stddef.h>

/* What a signal handler may change. */
static volatile sig_atomic_t requested;

static void request(int signal)
{
	(void)signal;
	requested = 1;
}

void stop_prepare(sigset_t *waiting)
{
	struct sigaction action = { .sa_handler = request };
	sigset_t blocked;
	/* USR1 and HUP are for the supervisor: whoever sends them to all means no harm */
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigaddset(&blocked, SIGHUP);
	*waiting = blocked;
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

bool stop_requested(void)
{
	return requested != 0;
}
