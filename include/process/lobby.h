/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_LOBBY_H
#define LATCHKEY_PROCESS_LOBBY_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "http/arrival.h"

#define LOBBY_SEATS 64

/*
 * Where connections wait until their request has arrived: a peer that connects and says nothing, or
 * stops halfway, occupies a seat here and not the worker. Who sits too long, or longest when
 * all seats are taken, is shown out.
 */
struct lobby {
	struct {
		int socket;
		int64_t since; /* monotonic ms */
	} seats[LOBBY_SEATS];
	unsigned count;
	int listener;
	int bell; /* epoll: rings for one worker when somebody is at the listener */
	int64_t closes_at; /* monotonic ms; 0: it is open */
	unsigned stretch; /* connections taken since it was asked */
};

/* The listening socket is the caller's, who outlives the lobby. False with errno; finish it all the
 * same. */
__attribute__((warn_unused_result)) bool lobby_open(struct lobby *lobby, int listener);

/* The next connection whose request can be read without waiting, one from the lobby or a new one,
 * and where that request wants to go. -1 when a signal of `waiting`'s making interrupted. The
 * connection is the caller's. */
int lobby_next(struct lobby *lobby, const sigset_t *waiting, struct target *target);

/* The same when nobody is let in any more: one of those who are in the lobby already. -1 when there are
 * none, or half a second after the first call. */
int lobby_last(struct lobby *lobby, struct target *target);

/* Closes all. */
void lobby_finish(struct lobby *lobby);

#endif
