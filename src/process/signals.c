/* SPDX-License-Identifier: MIT */
/* Handlers set a flag and nothing else. */
#include "process/signals.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static volatile sig_atomic_t stop_requested;
static volatile sig_atomic_t reopen_requested;

static void note(int signal)
{
	if (signal == SIGUSR1)
		reopen_requested = 1;
	else
		stop_requested = 1;
}

void signals_prepare(sigset_t *waiting)
{
	static const int noted[] = { SIGTERM, SIGINT, SIGUSR1 };
	struct sigaction action = { .sa_handler = note };
	sigset_t blocked;
	sigemptyset(waiting);
	sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof(noted) / sizeof(noted[0]); i++)
		sigaddset(&blocked, noted[i]);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	for (size_t i = 0; i < sizeof(noted) / sizeof(noted[0]); i++)
		sigaction(noted[i], &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
}

bool signals_stop_requested(void)
{
	return stop_requested != 0;
}

void signals_reopen_log(const struct log *log, const char *target)
{
	if (!reopen_requested)
		return;
	reopen_requested = 0;
	if (!log_reopen(log, target))
		log_error(log, "log_not_reopened",
			"log.target %s: %s; the file before is written to still", target,
			strerror(errno));
}
