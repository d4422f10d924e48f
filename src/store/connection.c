/* SPDX-License-Identifier: MIT */
/*
 * Losing the database is ordinary: it is restarted, fails over, is out of reach. A request must
 * hear so at once and the next must find it back. libpq's blocking calls wait as long as the
 * other side pleases, so connecting and waiting are done here, with a deadline.
 */
#include "store/connection.h"

#include <libpq-fe.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "store/hosts.h"
#include "store/row.h"
#include "store/schema.h"
#include "store/statement.h"

/* Between tries to connect: doubled each time, and never so long that a return is missed. */
#define BACK_OFF_FIRST_MS 50
#define BACK_OFF_LAST_MS 1600

/* An idle connection is looked at before it is used when it was idle for this long: a server that
 * went away meanwhile has said so, and what is sent now would be lost. */
#define IDLE_MS 200

void store_init(struct store *store, const struct settings *settings, const struct log *log)
{
	memset(store, 0, sizeof(*store));
	store->settings = settings;
	store->log = log;
	store->waiter = waiter_poll;
}

static void disconnect(struct store *store)
{
	pending_fail_all(store);
	PQfinish(store->connection);
	store->connection = NULL;
	memset(store->prepared, 0, sizeof(store->prepared));
}

void store_finish(struct store *store)
{
	disconnect(store);
}

/* libpq's messages end in a line feed and may have several lines; the log escapes them. */
static void log_away(struct store *store, const char *what)
{
	const char *reason = store->connection ? PQerrorMessage(store->connection) : "no memory";
	reason = *reason ? reason : "no answer within database.timeout";
	log_error(
		store->log, "database_away", "%s: %.*s", what, (int)strcspn(reason, "\n"), reason);
}

void store_lose(struct store *store, const char *what)
{
	log_away(store, what);
	disconnect(store);
}

bool store_wait(struct store *store, short events, int64_t deadline)
{
	const struct waiter *waiter = &store->waiter;
	unsigned connection = store->connections;
	bool ready = waiter->wait(waiter->context, PQsocket(store->connection), events, deadline);
	return ready && store->connection && store->connections == connection;
}

/* Walks libpq's state machine through all hosts of the connection string, from the number-th on. */
static bool try_hosts(struct store *store, unsigned number, int64_t deadline)
{
	store->connection = hosts_connect(store->settings->database_url, number);
	if (!store->connection || PQstatus(store->connection) == CONNECTION_BAD)
		return false;
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;
	while (status != PGRES_POLLING_OK) {
		if (!store_wait(
			    store, status == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline))
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

/* After a restore or a half-done deployment the schema may be another one under a running
 * service; each new connection looks. */
static bool schema_fits(struct store *store)
{
	struct arena arena;
	arena_init(&arena);
	const char *detail;
	enum schema_state state = schema_compare(store, &arena, &detail);
	if (state != SCHEMA_FITS && state != SCHEMA_AWAY)
		log_error(store->log, "schema_does_not_fit", "%s", detail);
	arena_finish(&arena);
	return state == SCHEMA_FITS;
}

static void back_off(struct store *store)
{
	int64_t delay = BACK_OFF_FIRST_MS << (store->failures < 5 ? store->failures : 5);
	store->failures++;
	store->retry_at =
		clock_monotonic_ms() + (delay < BACK_OFF_LAST_MS ? delay : BACK_OFF_LAST_MS);
}

/* True where the server has closed an idle connection. What it says on one (a notification, its
 * farewell) is read first: the end shows only behind it. */
static bool went_away(struct store *store)
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

bool store_open(struct store *store)
{
	int64_t now = clock_monotonic_ms();
	if (now < store->retry_at)
		return false;
	if (!connect_before(store, now + store->settings->database_timeout * 1000)) {
		back_off(store);
		store_lose(store, "connecting");
		return false;
	}
	PQsetNoticeReceiver(store->connection, ignore_notice, NULL);
	store->used_at = clock_monotonic_ms();
	store->connections++;
	return true;
}

/* On the stack of who waits until another has connected. */
struct queued {
	void *who;
	bool done;
	struct queued *next;
};

static bool is_usable(const struct store *store)
{
	return store->connection && !store->connecting &&
	       PQstatus(store->connection) == CONNECTION_OK;
}

/* Another task connects already. */
static bool await_connection(struct store *store)
{
	const struct waiter *waiter = &store->waiter;
	int64_t deadline = store_deadline(store);
	struct queued queued = { waiter->self(waiter->context), false, store->queue };
	/* cppcheck-suppress autoVariables ; it is taken out again below */
	store->queue = &queued;
	while (!queued.done && waiter->suspend(waiter->context, deadline)) {
	}
	for (struct queued **at = &store->queue; *at; at = &(*at)->next)
		if (*at == &queued) {
			*at = queued.next;
			break;
		}
	return is_usable(store);
}

static void wake_queue(struct store *store)
{
	struct queued *queued = store->queue;
	store->queue = NULL;
	while (queued) {
		struct queued *next = queued->next;
		queued->done = true;
		store->waiter.wake(store->waiter.context, queued->who);
		queued = next;
	}
}

/* Connects, and looks at the schema before anybody else may use the connection. */
static bool reconnect(struct store *store)
{
	disconnect(store);
	if (!store_open(store))
		return false;
	if (schema_fits(store)) {
		store->failures = 0;
		return true;
	}
	back_off(store);
	disconnect(store);
	return false;
}

bool store_connect(struct store *store)
{
	if (is_usable(store)) {
		if (!went_away(store))
			return true;
		log_info(store->log, "database_reconnect", "reason=\"the server closed it\"");
	}
	if (store->connecting)
		return await_connection(store);
	store->connecting = true;
	bool connected = reconnect(store);
	store->connecting = false;
	wake_queue(store);
	return connected;
}

int store_socket(const struct store *store)
{
	return store->connection ? PQsocket(store->connection) : -1;
}

bool store_listen(struct store *store, const char *channel)
{
	struct arena arena;
	arena_init(&arena);
	bool listening = store_connect(store) &&
			 store_command(store, arena_format(&arena, "LISTEN %s", channel));
	arena_finish(&arena);
	return listening;
}

bool store_notified(struct store *store)
{
	if (!store->connection)
		return false;
	if (!PQconsumeInput(store->connection) || PQstatus(store->connection) != CONNECTION_OK) {
		store_lose(store, "listening");
		return false;
	}
	bool notified = false;
	PGnotify *notification;
	while ((notification = PQnotifies(store->connection))) {
		notified = true;
		PQfreemem(notification);
	}
	return notified;
}
