/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_SIGNALS_H
#define LATCHKEY_PROCESS_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

#include "base/log.h"

/*
 * What a child is asked for by signals: to stop (SIGTERM or SIGINT) and to reopen its log (SIGUSR1).
 * They are blocked but while the process waits, so nothing is cut short and no wake-up is lost.
 */

/* Once in a child. Writes the mask to wait with (ppoll). SIGPIPE and SIGHUP are ignored: reloading is
 * the supervisor's. */
void signals_prepare(sigset_t *waiting);

/* Whether it was asked to stop. */
bool signals_stop_requested(void);

/* Reopens the log where that was asked for since the last call. To be called whenever the process has
 * waited. */
void signals_reopen_log(const struct log *log, const char *target);

#endif
