/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_LOBBY_H
#define LATCHKEY_PROCESS_LOBBY_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "http/arrival.h"
#include "process/queue.h"

#define LOBBY_SEATS 256
#define LOBBY_RINGS 16

/*
 * Where connections wait until a request has arrived: a peer that connects and says nothing, or
 * stops halfway, occupies a seat here and not the worker, and so does one that keeps its connection
 * between requests. Who sits too long, or longest when all seats are taken, is shown out.
 */
struct lobby {
	struct seat {
		int socket; /* -1: nobody sits here */
		bool kept; /* a request of this connection has been answered, and no other has begun */
		int64_t since; /* monotonic ms */
	} seats[LOBBY_SEATS];
	unsigned taken; /* seats */
	int listener;
	const struct queue *kept; /* connections that others have answered; NULL: there are none */
	int bell; /* epoll: rings for one worker when somebody is at the listener */
	struct epoll_event
		rings[LOBBY_RINGS]; /* what the bell last told, and how much was seen to */
	unsigned rang;
	unsigned seen;
	bool watched_rang;
	unsigned stretch; /* connections taken since it was asked */
	int64_t looked_at; /* monotonic ms of the last look at who sits too long */
	int64_t closes_at; /* monotonic ms; 0: it is open */
};

/* The listening socket and the queue of kept connections (or NULL) are the caller's, and outlive the
 * lobby; keeps: whether it takes from the queue. False with errno; finish it all the same. */
__attribute__((warn_unused_result)) bool lobby_open(
	struct lobby *lobby, int listener, const struct queue *kept, bool keeps);

/* The next connection with a request that can be read without waiting, one from the lobby or a new
 * one, and where that request wants to go. -1 when there is none yet: a signal of `waiting`'s making
 * interrupted, a watched socket rang, or time has passed, at the latest at `until` (monotonic ms; -1:
 * no such moment); ask again. The connection is the caller's. */
int lobby_next(struct lobby *lobby, const sigset_t *waiting, int64_t until, struct target *target);

/* Watches another socket until it is closed: whether it was readable since the last question. A
 * negative one is taken. */
void lobby_watch(struct lobby *lobby, int socket);
bool lobby_rang(struct lobby *lobby);

/* Lets a connection sit down that is kept for another request. */
void lobby_keep(struct lobby *lobby, int connection, int64_t since);

/* The same as lobby_next() when nobody is let in any more: one of those who have begun to speak. -1
 * when there are none, or half a second after the first call. */
int lobby_last(struct lobby *lobby, struct target *target);

/* Gives the kept connections to others by the queue, and closes all else. */
void lobby_finish(struct lobby *lobby);

#endif
