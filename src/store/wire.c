/* SPDX-License-Identifier: MIT */
/*
 * The connection itself. libpq's blocking calls wait as long as the other side pleases, so connecting,
 * sending and waiting are done here, each with a deadline.
 */
#include "store/wire.h"

#include <libpq-fe.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "store/hosts.h"

/* An idle connection is looked at before it is used when it was idle for this long: a server that
 * went away meanwhile has said so, and what is sent now would be lost. */
#define IDLE_MS 200

int64_t wire_deadline(const struct store *store)
{
	return clock_monotonic_ms() + store->settings->database_timeout * 1000;
}

/* libpq's messages end in a line feed and may have several lines; the log escapes them. */
void wire_log(const struct store *store, const char *what)
{
	const char *reason = store->connection ? PQerrorMessage(store->connection) : "no memory";
	reason = *reason ? reason : "no answer within database.timeout";
	log_error(
		store->log, "database_away", "%s: %.*s", what, (int)strcspn(reason, "\n"), reason);
}

void wire_close(struct store *store)
{
	PQfinish(store->connection);
	store->connection = NULL;
	store->connections++; /* who had to do with this one must not take the next for it */
	memset(store->prepared, 0, sizeof(store->prepared));
}

bool wire_wait(struct store *store, short events, int64_t deadline)
{
	const struct waiter *waiter = &store->waiter;
	unsigned connection = store->connections;
	bool ready = waiter->wait(waiter->context, PQsocket(store->connection), events, deadline);
	return ready && store->connection && store->connections == connection;
}

/* Small statements leave at once. */
bool wire_flush(struct store *store, int64_t deadline)
{
	int rest;
	while ((rest = PQflush(store->connection)) > 0) {
		if (!wire_wait(store, POLLIN | POLLOUT, deadline) ||
			!PQconsumeInput(store->connection))
			return false;
	}
	return rest == 0;
}

/* Walks libpq's state machine through all hosts of the connection string, from the number-th on. */
static bool try_hosts(struct store *store, unsigned number, int64_t deadline)
{
	store->connection = hosts_connect(store->settings->database_url, number);
	if (!store->connection || PQstatus(store->connection) == CONNECTION_BAD)
		return false;
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;
	while (status != PGRES_POLLING_OK) {
		if (!wire_wait(store, status == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline))
			return false;
		status = PQconnectPoll(store->connection);
		if (status == PGRES_POLLING_FAILED)
			return false;
	}
	return PQsetnonblocking(store->connection, 1) == 0 &&
	       PQenterPipelineMode(store->connection);
}

/* libpq goes on to the next host when one refuses, but waits for one that is silent: each gets its
 * share of the time, and the next is tried first then. */
static bool connect_before(struct store *store, int64_t deadline)
{
	unsigned hosts = hosts_count(store->settings->database_url);
	for (unsigned i = 0; i < hosts; i++) {
		int64_t now = clock_monotonic_ms();
		unsigned number = (store->first_host + i) % hosts;
		if (try_hosts(store, number, now + (deadline - now) / (hosts - i))) {
			store->first_host = number;
			return true;
		}
		bool silent = store->connection && PQstatus(store->connection) != CONNECTION_BAD;
		if (!silent || i + 1 == hosts)
			return false;
		PQfinish(store->connection);
		store->connection = NULL;
	}
	return false;
}

static void ignore_notice(void *context, const PGresult *result)
{
	(void)context;
	(void)result;
}

/* True where the server has closed an idle connection. What it says on one (a notification, its
 * farewell) is read first: the end shows only behind it. */
bool wire_went_away(const struct store *store)
{
	struct pollfd idle = { PQsocket(store->connection), POLLIN, 0 };
	if (store->first || clock_monotonic_ms() - store->used_at < IDLE_MS)
		return false;
	while (poll(&idle, 1, 0) > 0)
		if (!PQconsumeInput(store->connection) ||
			PQstatus(store->connection) != CONNECTION_OK)
			return true;
	return false;
}

bool wire_open(struct store *store)
{
	if (!connect_before(store, wire_deadline(store))) {
		wire_log(store, "connecting");
		wire_close(store);
		return false;
	}
	PQsetNoticeReceiver(store->connection, ignore_notice, NULL);
	store->used_at = clock_monotonic_ms();
	store->connections++;
	return true;
}
