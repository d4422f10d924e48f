/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_SIGNALS_H
#define LATCHKEY_PROCESS_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/*
 * What a child is asked for by signals: to stop (SIGTERM or SIGINT) and to reopen its log (SIGUSR1).
 * They are blocked but while the process waits, so nothing is cut short and no wake-up is lost.
 */

/* Once in a child. Writes the mask to wait with (ppoll). SIGPIPE and SIGHUP are ignored: reloading is
 * the supervisor's. */
void signals_prepare(sigset_t *waiting);

/* Whether it was asked to stop. */
bool signals_stop_requested(void);

/* Whether it was asked to reopen its log since the last question. */
bool signals_reopen_requested(void);

#endif
