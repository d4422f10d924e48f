/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_STOP_H
#define LATCHKEY_PROCESS_STOP_H

#include <signal.h>
#include <stdbool.h>

/*
 * How a child is asked to stop: SIGTERM or SIGINT. They are blocked but while the process waits,
 * so nothing is cut short and no wake-up is lost.
 */

/* Once in a child, after libraries that set handlers of their own. Writes the mask to wait with
 * (ppoll). SIGPIPE is ignored. */
void stop_prepare(sigset_t *waiting);

/* Whether it was asked. */
bool stop_requested(void);

#endif
