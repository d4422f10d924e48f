/* SPDX-License-Identifier: MIT */
#include "process/lobby.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* How long a connection may sit before its request is there. */
#define PATIENCE_MS 5000
/* How long a new one is waited for before it takes a seat. Web servers connect and send at once, so
 * honest requests do not get to wait behind another that the worker may take up meanwhile. */
#define GREETING_MS 2
/* How long those in the lobby may take to say what they want when it closes. A web server that has
 * connected sends at once, but may have to wait for a processor in between. */
#define CLOSING_MS 500
/* How often those in the lobby are looked at. */
#define GLANCE_MS 50

/* So many connections are taken from the queue one after the other before signals are let in. */
#define AT_A_STRETCH 32

bool lobby_open(struct lobby *lobby, int listener)
{
	/* exclusive: else all workers wake for each connection, and all but one in vain */
	struct epoll_event new_ones = { .events = EPOLLIN | EPOLLEXCLUSIVE };
	*lobby = (struct lobby){ .listener = listener, .stretch = AT_A_STRETCH };
	lobby->bell = epoll_create1(EPOLL_CLOEXEC);
	return lobby->bell >= 0 && epoll_ctl(lobby->bell, EPOLL_CTL_ADD, listener, &new_ones) == 0;
}

static void leave(struct lobby *lobby, unsigned seat)
{
	lobby->seats[seat] = lobby->seats[--lobby->count];
}

static void show_out(struct lobby *lobby, unsigned seat)
{
	close(lobby->seats[seat].socket);
	leave(lobby, seat);
}

static void show_out_stale(struct lobby *lobby)
{
	int64_t now = clock_monotonic_ms();
	for (unsigned seat = lobby->count; seat-- > 0;)
		if (now - lobby->seats[seat].since >= PATIENCE_MS)
			show_out(lobby, seat);
}

static void sit(struct lobby *lobby, int socket)
{
	if (lobby->count == LOBBY_SEATS) {
		unsigned oldest = 0;
		for (unsigned seat = 1; seat < lobby->count; seat++)
			if (lobby->seats[seat].since < lobby->seats[oldest].since)
				oldest = seat;
		show_out(lobby, oldest);
	}
	lobby->seats[lobby->count].socket = socket;
	lobby->seats[lobby->count].since = clock_monotonic_ms();
	lobby->count++;
}

/* A new connection whose request is there, or -1: there is none, or it has taken a seat. */
static int greet(struct lobby *lobby, struct target *target)
{
	int socket = accept4(lobby->listener, NULL, NULL, SOCK_CLOEXEC);
	if (socket < 0) {
		lobby->stretch = AT_A_STRETCH;
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
		return -1;
	}
	lobby->stretch++;
	enum arrival arrival = arrival_of(socket, target);
	if (arrival == ARRIVAL_PART) {
		struct pollfd more = { socket, POLLIN, 0 };
		if (poll(&more, 1, GREETING_MS) > 0)
			arrival = arrival_of(socket, target);
	}
	if (arrival == ARRIVAL_WHOLE)
		return socket;
	if (arrival == ARRIVAL_PART)
		sit(lobby, socket);
	else
		close(socket);
	return -1;
}

/* One from the lobby that is ready, or -1. */
static int call(struct lobby *lobby, struct target *target)
{
	struct pollfd polled[LOBBY_SEATS];
	for (unsigned seat = 0; seat < lobby->count; seat++)
		polled[seat] = (struct pollfd){ lobby->seats[seat].socket, POLLIN, 0 };
	if (lobby->count == 0 || poll(polled, lobby->count, 0) <= 0)
		return -1;
	for (unsigned seat = lobby->count; seat-- > 0;) {
		int socket = lobby->seats[seat].socket;
		if (polled[seat].revents == 0)
			continue;
		switch (arrival_of(socket, target)) {
		case ARRIVAL_WHOLE:
			leave(lobby, seat);
			return socket;
		case ARRIVAL_GARBAGE:
			show_out(lobby, seat);
			break;
		case ARRIVAL_PART:
			break;
		}
	}
	return -1;
}

int lobby_next(struct lobby *lobby, const sigset_t *waiting, struct target *target)
{
	for (;;) {
		int socket = call(lobby, target);
		if (socket >= 0)
			return socket;
		if (lobby->stretch >= AT_A_STRETCH) {
			/* a peer that has sent a part is readable all the time: it is looked at now and
			 * then */
			struct epoll_event rung;
			int count = epoll_pwait(
				lobby->bell, &rung, 1, lobby->count > 0 ? GLANCE_MS : -1, waiting);
			if (count < 0)
				return -1;
			lobby->stretch = count > 0 ? 0 : AT_A_STRETCH;
		}
		if (lobby->stretch < AT_A_STRETCH)
			socket = greet(lobby, target);
		if (lobby->count > 0)
			show_out_stale(lobby);
		if (socket >= 0)
			return socket;
	}
}

int lobby_last(struct lobby *lobby, struct target *target)
{
	if (lobby->closes_at == 0)
		lobby->closes_at = clock_monotonic_ms() + CLOSING_MS;
	while (lobby->count > 0 && clock_monotonic_ms() < lobby->closes_at) {
		int socket = call(lobby, target);
		if (socket >= 0)
			return socket;
		nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
	}
	return -1;
}

void lobby_finish(struct lobby *lobby)
{
	while (lobby->count > 0)
		show_out(lobby, 0);
	close(lobby->bell);
}
