/* SPDX-License-Identifier: MIT */
/*
 * A connection is watched from its first silence on, edge-triggered, until it is closed: a request on
 * one that is kept costs no change of what is watched. The first octets of a request are read before
 * anything else is done for it, so that a silent connection holds neither a fiber nor a buffer.
 */
#include "process/connections.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "process/entries.h"

/* Octets that are read first; most requests have no more. Not more than libfcgi takes at a time. */
#define AHEAD 4096

/* How long a kept one may be idle. Web servers end those themselves, nginx after a minute; whoever
 * closes first should be they, for a request may be on its way. */
#define IDLE_MS 300000

#define SWEEP_MS 1000

/* How long those that have connected just now get to speak when nothing is accepted any more. */
#define DRAIN_MS 500

/* When the table is full and none is idle, new ones are closed that have been silent for so long. */
#define SILENT_MS 1000

/* Connections that are taken from the handoff in one go; others get theirs. */
#define ADOPTED 8

/* Without descriptors nothing is accepted for so long. */
#define PAUSE_MS 20

struct connections {
	struct watch accepting; /* the listener; must be the first */
	struct watch adopting; /* the handoff; must be the second */
	struct loop *loop;
	struct waiter waiter;
	struct connections_settings settings;
	bool accepts; /* the listener is watched */
	int64_t accept_at; /* monotonic ms, not before; 0: no such moment */
	int64_t drain_until; /* monotonic ms; 0: nothing is drained */
	struct entries entries;
};

/* The entry is free; the connection is the caller's. */
static int release(struct entry *entry)
{
	struct connections *connections = entry->connections;
	if (entry->watched)
		loop_unwatch(connections->loop, &entry->watch);
	entries_set(&connections->entries, entry, ENTRY_FREE);
	return entry->watch.descriptor;
}

/* Accepts, or does not, as there is room. At the end of the listener's list of those who wait for it,
 * so that connections are shared out between workers. */
static void watch_listener(struct connections *connections, bool wanted)
{
	if (connections->accepts)
		loop_unwatch(connections->loop, &connections->accepting);
	/* exclusive: else all workers wake for each connection, and all but one in vain */
	connections->accepts =
		wanted && connections->drain_until == 0 &&
		loop_watch(connections->loop, &connections->accepting, EPOLLIN | EPOLLEXCLUSIVE);
}

static void end(struct entry *entry)
{
	struct connections *connections = entry->connections;
	close(release(entry));
	if (!connections->accepts && connections->accept_at == 0)
		watch_listener(connections, true);
}

/* Closes the longest idle one, or one that has never spoken. False: there is none. */
static bool evict(struct connections *connections)
{
	struct entry *longest = entries_oldest(&connections->entries, ENTRY_IDLE);
	struct entry *silent = entries_oldest(&connections->entries, ENTRY_NEW);
	if (!longest && silent && clock_monotonic_ms() - silent->since >= SILENT_MS)
		longest = silent;
	if (longest)
		close(release(longest));
	return longest != NULL;
}

static bool watch(struct entry *entry)
{
	if (!entry->watched)
		entry->watched = loop_watch(
			entry->connections->loop, &entry->watch, EPOLLIN | EPOLLRDHUP | EPOLLET);
	return entry->watched;
}

/* What the entry's task waits with. */
static bool wait_for_peer(void *context, int descriptor, short events, int64_t deadline)
{
	struct entry *entry = context;
	struct connections *connections = entry->connections;
	const struct waiter *waiter = &connections->waiter;
	const uint32_t always = EPOLLIN | EPOLLRDHUP | EPOLLET;
	bool writing = events & POLLOUT;
	(void)descriptor;
	if (!watch(entry) ||
		(writing && !loop_change(connections->loop, &entry->watch, always | EPOLLOUT)))
		return false;
	entry->waiting = waiter->self(waiter->context);
	bool ready = waiter->suspend(waiter->context, deadline);
	entry->waiting = NULL;
	return (!writing || loop_change(connections->loop, &entry->watch, always)) && ready;
}

static bool suspend(void *context, int64_t deadline)
{
	const struct entry *entry = context;
	const struct waiter *waiter = &entry->connections->waiter;
	return waiter->suspend(waiter->context, deadline);
}

/* Hands it on where nothing is accepted any more. */
static bool leave(struct entry *entry)
{
	const struct handoff *handoff = entry->connections->settings.handoff;
	if (!handoff) {
		end(entry);
		return true;
	}
	/* while others have the connection open, closing it here ends no watch */
	if (entry->watched)
		loop_unwatch(entry->connections->loop, &entry->watch);
	entry->watched = false;
	if (!handoff_put(handoff, entry->watch.descriptor))
		return false;
	release(entry);
	return true;
}

/* Nothing more has come for now. */
static void become_silent(struct entry *entry, enum entry_state state)
{
	struct connections *connections = entry->connections;
	bool fresh = !entry->watched;
	entries_set(&entry->connections->entries, entry, state);
	if (state == ENTRY_IDLE && connections->drain_until > 0) {
		(void)!leave(entry); /* else connections_drained() tries again */
	} else if (!watch(entry)) { /* which tells at once what has come in between */
		end(entry);
	} else if (fresh && connections->accepts) {
		watch_listener(connections, true); /* the next one is another worker's */
	}
}

/* A task's whole work: what a connection asks for, until it is silent. */
static void serve(void *context)
{
	struct entry *entry = context;
	const struct connections_settings *settings = &entry->connections->settings;
	const struct waiter peer = { .context = entry, .wait = wait_for_peer, .suspend = suspend };
	enum entry_state silent = entry->state;
	char ahead[AHEAD];
	entries_set(&entry->connections->entries, entry, ENTRY_SERVED);
	do {
		entry->readable = false;
		ssize_t count = recv(entry->watch.descriptor, ahead, AHEAD, MSG_DONTWAIT);
		if (count < 0 && errno == EAGAIN)
			break;
		entry->readable = count == AHEAD;
		silent = ENTRY_IDLE;
		if (count <= 0 || !settings->serve(settings->context, entry->watch.descriptor,
					  (struct text){ ahead, (size_t)count }, &peer)) {
			end(entry);
			return;
		}
	} while (entry->readable || entry->ending);
	become_silent(entry, silent);
}

static void start(struct entry *entry)
{
	if (!loop_spawn(entry->connections->loop, serve, entry))
		end(entry);
}

static void happened(struct watch *watched, uint32_t events)
{
	struct entry *entry = (struct entry *)watched;
	const struct waiter *waiter = &entry->connections->waiter;
	entry->ending = entry->ending || events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
	if (entry->state != ENTRY_SERVED) {
		start(entry);
		return;
	}
	entry->readable = true;
	if (entry->waiting)
		waiter->wake(waiter->context, entry->waiting);
}

static struct entry *add(struct connections *connections, int socket, enum entry_state state)
{
	struct entry *entry = entries_take(&connections->entries);
	if (!entry) {
		close(socket);
		return NULL;
	}
	entry->connections = connections;
	entry->watch = (struct watch){ socket, happened };
	entries_set(&connections->entries, entry, state);
	return entry;
}

/* One at a time: the next may be somebody else's, who has nothing to do. */
static void accept_one(struct watch *listener, uint32_t events)
{
	struct connections *connections = (struct connections *)listener;
	(void)events;
	if (entries_are_full(&connections->entries) && !evict(connections)) {
		watch_listener(connections, false);
		return;
	}
	int socket = accept4(listener->descriptor, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (socket >= 0) {
		struct entry *entry = add(connections, socket, ENTRY_NEW);
		if (entry)
			start(entry);
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
		evict(connections);
		watch_listener(connections, false);
		connections->accept_at = clock_monotonic_ms() + PAUSE_MS;
	}
}

static void adopt(struct watch *adopting, uint32_t events)
{
	struct connections *connections = (struct connections *)(adopting - 1);
	(void)events;
	for (unsigned i = 0; i < ADOPTED; i++) {
		if (entries_are_full(&connections->entries))
			evict(connections);
		int socket = handoff_take(connections->settings.handoff);
		if (socket < 0)
			break;
		struct entry *entry = add(connections, socket, ENTRY_IDLE);
		if (entry && !watch(entry))
			end(entry);
	}
}

struct connections *connections_open(struct loop *loop, const struct connections_settings *settings)
{
	struct connections *connections = calloc(1, sizeof(*connections));
	if (!connections || !entries_init(&connections->entries, settings->maximum)) {
		free(connections);
		return NULL;
	}
	connections->loop = loop;
	connections->waiter = loop_waiter(loop);
	connections->settings = *settings;
	connections->accepting = (struct watch){ settings->listener, accept_one };
	watch_listener(connections, true);
	bool watched = connections->accepts;
	if (watched && settings->handoff) {
		connections->adopting = (struct watch){ settings->handoff->out, adopt };
		watched = loop_watch(loop, &connections->adopting, EPOLLIN | EPOLLEXCLUSIVE);
	}
	if (watched)
		return connections;
	connections_close(connections);
	return NULL;
}

void connections_close(struct connections *connections)
{
	if (!connections)
		return;
	struct entries *entries = &connections->entries;
	for (unsigned i = 0; i < entries->used; i++)
		if (entries->table[i].state != ENTRY_FREE)
			close(release(&entries->table[i]));
	entries_finish(entries);
	free(connections);
}

static void end_silent(struct connections *connections, enum entry_state state, int64_t since)
{
	struct entry *entry;
	while ((entry = entries_oldest(&connections->entries, state)) && entry->since <= since)
		end(entry);
}

/* When the first of them will have been silent for too long (monotonic ms). */
static int64_t next_end(const struct connections *connections)
{
	const struct entry *new = entries_oldest(&connections->entries, ENTRY_NEW);
	const struct entry *idle = entries_oldest(&connections->entries, ENTRY_IDLE);
	int64_t new_end = new ? new->since + connections->settings.patience_ms : INT64_MAX;
	int64_t idle_end = idle ? idle->since + IDLE_MS : INT64_MAX;
	return new_end < idle_end ? new_end : idle_end;
}

int64_t connections_sweep(struct connections *connections)
{
	int64_t now = clock_monotonic_ms();
	end_silent(connections, ENTRY_NEW, now - connections->settings.patience_ms);
	end_silent(connections, ENTRY_IDLE, now - IDLE_MS);
	if (connections->accept_at > 0 && now >= connections->accept_at)
		connections->accept_at = 0;
	/* accepting has stopped for want of entries or descriptors; there may be some by now */
	if (!connections->accepts && connections->accept_at == 0 &&
		(!entries_are_full(&connections->entries) || evict(connections)))
		watch_listener(connections, true);
	if (!connections->accepts)
		return connections->accept_at > 0 ? connections->accept_at : now + SWEEP_MS;
	return next_end(connections);
}

void connections_drain(struct connections *connections)
{
	connections->drain_until = clock_monotonic_ms() + DRAIN_MS;
	watch_listener(connections, false);
	if (connections->settings.handoff)
		loop_unwatch(connections->loop, &connections->adopting);
}

bool connections_drained(struct connections *connections)
{
	const struct entries *entries = &connections->entries;
	struct entry *idle;
	while ((idle = entries_oldest(entries, ENTRY_IDLE)) && leave(idle)) {
	}
	if (clock_monotonic_ms() >= connections->drain_until) {
		end_silent(connections, ENTRY_IDLE, INT64_MAX);
		end_silent(connections, ENTRY_NEW, INT64_MAX);
	}
	return !entries_oldest(entries, ENTRY_IDLE) && !entries_oldest(entries, ENTRY_NEW);
}
