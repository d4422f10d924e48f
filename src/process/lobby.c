/* SPDX-License-Identifier: MIT */
#include "process/lobby.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* How long a connection may sit before its request is there. */
#define PATIENCE_MS 5000
/* How long a kept one may sit between requests. Web servers end those themselves, nginx after a
 * minute; whoever closes first should be they, for a request may be on its way. */
#define KEPT_MS 300000
/* How long those in the lobby may take to say what they want when it closes. A web server that has
 * connected sends at once, but may have to wait for a processor in between. */
#define CLOSING_MS 500
/* How often those in the lobby are looked at. */
#define GLANCE_MS 1000

/* So many connections are taken from the queue one after the other before signals are let in. */
#define AT_A_STRETCH 32

/* What rings, beside the seats by their number. */
enum { AT_THE_DOOR = LOBBY_SEATS, KEPT_BY_OTHERS, WATCHED };

static bool listen_for(struct lobby *lobby, int socket, uint32_t events, unsigned what)
{
	struct epoll_event event = { .events = events, .data.u32 = what };
	return epoll_ctl(lobby->bell, EPOLL_CTL_ADD, socket, &event) == 0;
}

bool lobby_open(struct lobby *lobby, int listener, const struct queue *kept, bool keeps)
{
	*lobby = (struct lobby){ .listener = listener, .kept = kept, .stretch = AT_A_STRETCH };
	for (unsigned i = 0; i < LOBBY_SEATS; i++)
		lobby->seats[i].socket = -1;
	lobby->bell = epoll_create1(EPOLL_CLOEXEC);
	/* exclusive: else all workers wake for each connection, and all but one in vain */
	return lobby->bell >= 0 &&
	       listen_for(lobby, listener, EPOLLIN | EPOLLEXCLUSIVE, AT_THE_DOOR) &&
	       (!kept || !keeps ||
		       listen_for(lobby, kept->out, EPOLLIN | EPOLLEXCLUSIVE, KEPT_BY_OTHERS));
}

void lobby_watch(struct lobby *lobby, int socket)
{
	if (socket >= 0)
		listen_for(lobby, socket, EPOLLIN, WATCHED);
}

bool lobby_rang(struct lobby *lobby)
{
	bool rang = lobby->watched_rang;
	lobby->watched_rang = false;
	return rang;
}

/* The connection of a seat, which is free then. */
static int leave(struct lobby *lobby, struct seat *seat)
{
	int socket = seat->socket;
	epoll_ctl(lobby->bell, EPOLL_CTL_DEL, socket, NULL);
	seat->socket = -1;
	lobby->taken--;
	return socket;
}

static void show_out(struct lobby *lobby, struct seat *seat)
{
	close(leave(lobby, seat));
}

/* Now and then: shows out who sits too long, and lets signals in, for which waiting is no occasion
 * while there is always somebody. */
static void glance(struct lobby *lobby, const sigset_t *waiting)
{
	int64_t now = clock_monotonic_ms();
	sigset_t blocked;
	if (now - lobby->looked_at < GLANCE_MS)
		return;
	lobby->looked_at = now;
	sigprocmask(SIG_SETMASK, waiting, &blocked);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	for (struct seat *seat = lobby->seats; seat < lobby->seats + LOBBY_SEATS; seat++)
		if (seat->socket >= 0 && now - seat->since >= (seat->kept ? KEPT_MS : PATIENCE_MS))
			show_out(lobby, seat);
}

static struct seat *free_seat(struct lobby *lobby)
{
	struct seat *oldest = lobby->seats;
	for (struct seat *seat = lobby->seats; seat < lobby->seats + LOBBY_SEATS; seat++) {
		if (seat->socket < 0)
			return seat;
		if (seat->since < oldest->since)
			oldest = seat;
	}
	show_out(lobby, oldest);
	return oldest;
}

static void sit(struct lobby *lobby, int socket, bool kept, int64_t since)
{
	struct seat *seat = free_seat(lobby);
	/* each time something comes: a peer that has sent a part is readable all the time */
	if (!listen_for(lobby, socket, EPOLLIN | EPOLLRDHUP | EPOLLET,
		    (unsigned)(seat - lobby->seats))) {
		close(socket);
		return;
	}
	*seat = (struct seat){ socket, kept, since };
	lobby->taken++;
}

void lobby_keep(struct lobby *lobby, int connection, int64_t since)
{
	sit(lobby, connection, true, since);
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
	switch (arrival_of(socket, target)) {
	case ARRIVAL_WHOLE:
		return socket;
	case ARRIVAL_PART:
		sit(lobby, socket, false, clock_monotonic_ms());
		break;
	case ARRIVAL_GARBAGE:
		close(socket);
	}
	return -1;
}

/* The connection of a seat where something came, when its request is there; else -1. */
static int hear(struct lobby *lobby, struct seat *seat, struct target *target)
{
	if (seat->socket < 0)
		return -1; /* shown out since it rang */
	switch (arrival_of(seat->socket, target)) {
	case ARRIVAL_WHOLE:
		return leave(lobby, seat);
	case ARRIVAL_GARBAGE: /* or it has gone, as those do that were kept */
		show_out(lobby, seat);
		break;
	case ARRIVAL_PART:
		if (seat->kept) {
			seat->kept = false;
			seat->since = clock_monotonic_ms();
		}
	}
	return -1;
}

static void take_over(struct lobby *lobby)
{
	int64_t since;
	int connection = queue_take(lobby->kept, &since);
	if (connection >= 0)
		sit(lobby, connection, true, since);
}

/* The next of those that rang, when its request is there; else -1. */
static int answer_bell(struct lobby *lobby, struct target *target)
{
	unsigned what = lobby->rings[lobby->seen++].data.u32;
	switch (what) {
	case AT_THE_DOOR:
		lobby->stretch = 0;
		return -1;
	case KEPT_BY_OTHERS:
		take_over(lobby);
		return -1;
	case WATCHED:
		lobby->watched_rang = true;
		return -1;
	default:
		return hear(lobby, &lobby->seats[what], target);
	}
}

/* Waits until something rings, or until then (monotonic ms; -1: for ever). Signals get in here. */
static void wait(struct lobby *lobby, const sigset_t *waiting, int64_t until)
{
	int64_t left = until < 0 ? -1 : until - clock_monotonic_ms();
	left = left < 0 && until >= 0 ? 0 : left;
	if (lobby->taken > 0 && (left < 0 || left > GLANCE_MS))
		left = GLANCE_MS;
	int count = epoll_pwait(lobby->bell, lobby->rings, LOBBY_RINGS, (int)left, waiting);
	lobby->rang = count > 0 ? (unsigned)count : 0;
	lobby->seen = 0;
}

int lobby_next(struct lobby *lobby, const sigset_t *waiting, int64_t until, struct target *target)
{
	int socket = -1;
	if (lobby->seen == lobby->rang && lobby->stretch >= AT_A_STRETCH)
		wait(lobby, waiting, until);
	while (socket < 0 && lobby->seen < lobby->rang)
		socket = answer_bell(lobby, target);
	while (socket < 0 && lobby->stretch < AT_A_STRETCH)
		socket = greet(lobby, target);
	glance(lobby, waiting);
	return socket;
}

/* Whether the next request of a kept connection has begun. */
static bool speaks(const struct seat *seat)
{
	char first;
	return recv(seat->socket, &first, 1, MSG_PEEK | MSG_DONTWAIT) != -1;
}

int lobby_last(struct lobby *lobby, struct target *target)
{
	if (lobby->closes_at == 0)
		lobby->closes_at = clock_monotonic_ms() + CLOSING_MS;
	while (clock_monotonic_ms() < lobby->closes_at) {
		bool anybody = false;
		for (struct seat *seat = lobby->seats; seat < lobby->seats + LOBBY_SEATS; seat++) {
			if (seat->socket < 0 || (seat->kept && !speaks(seat)))
				continue;
			int socket = hear(lobby, seat, target);
			if (socket >= 0)
				return socket;
			anybody = anybody || (seat->socket >= 0 && !seat->kept);
		}
		if (!anybody)
			break;
		nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
	}
	return -1;
}

void lobby_finish(struct lobby *lobby)
{
	for (struct seat *seat = lobby->seats; seat < lobby->seats + LOBBY_SEATS; seat++) {
		if (seat->socket < 0)
			continue;
		int socket = leave(lobby, seat);
		if (!seat->kept || !lobby->kept || !queue_put(lobby->kept, socket))
			close(socket);
	}
	close(lobby->bell);
}
