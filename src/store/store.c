/* SPDX-License-Identifier: MIT */
/*
 * Keeps a connection to the database. Losing it is ordinary: the server is restarted, fails over, is
 * out of reach. A request must be told at once, and the next must find the server back. Only one task
 * connects; others wait for it.
 */
#include "store/store.h"

#include <libpq-fe.h>
#include <string.h>

#include "base/clock.h"
#include "store/ledger.h"
#include "store/pipeline.h"
#include "store/statement.h"
#include "store/wire.h"

/* Between tries to connect: doubled each time, and never so long that a return is missed. */
#define BACK_OFF_FIRST_MS 50
#define BACK_OFF_LAST_MS 1600

void store_init(struct store *store, const struct settings *settings, const struct log *log)
{
	memset(store, 0, sizeof(*store));
	store->settings = settings;
	store->log = log;
	store->waiter = waiter_poll;
}

void store_finish(struct store *store)
{
	pipeline_close(store);
}

void store_share(struct store *store, const struct waiter *waiter)
{
	store->waiter = *waiter;
}

/* What is told may be the end of the connection before, in the same turn of the loop: one that is being
 * opened is read by who opens it. */
void store_read(struct store *store)
{
	if (!store->connecting || PQstatus(store->connection) == CONNECTION_OK)
		pipeline_read(store);
}

/* After a restore or a half-done deployment the schema may be another one under a running
 * service; each new connection looks. */
static bool schema_fits(struct store *store)
{
	struct arena arena;
	arena_init(&arena);
	const char *detail;
	enum schema_state state = ledger_compare(store, &arena, &detail);
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
	int64_t deadline = wire_deadline(store);
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
	pipeline_close(store);
	if (clock_monotonic_ms() < store->retry_at)
		return false;
	if (wire_open(store) && schema_fits(store)) {
		store->failures = 0;
		return true;
	}
	back_off(store);
	pipeline_close(store);
	return false;
}

bool store_connect(struct store *store)
{
	if (is_usable(store)) {
		if (store->first || !wire_went_away(store))
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

enum store_result store_run(struct store *store, struct arena *arena, unsigned statement,
	const void *parameters, struct statement_rows *rows)
{
	*rows = (struct statement_rows){ 0 };
	if (!store_connect(store))
		return STORE_AWAY;
	return statement_run(store, arena, statement, parameters, rows);
}

int store_socket(const struct store *store)
{
	bool open = store->connection && PQstatus(store->connection) == CONNECTION_OK;
	return open ? PQsocket(store->connection) : -1;
}

bool store_listen(struct store *store, const char *channel)
{
	struct arena arena;
	arena_init(&arena);
	bool listening = store_connect(store) &&
			 statement_command(store, arena_format(&arena, "LISTEN %s", channel));
	arena_finish(&arena);
	return listening;
}

bool store_notified(struct store *store)
{
	if (!store->connection)
		return false;
	if (!PQconsumeInput(store->connection) || PQstatus(store->connection) != CONNECTION_OK) {
		pipeline_lose(store, "listening");
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

enum schema_state schema_check(const struct settings *settings, const struct log *log,
	struct arena *arena, const char **detail)
{
	struct store store;
	store_init(&store, settings, log);
	*detail = "the database is away";
	enum schema_state state = SCHEMA_AWAY;
	if (wire_open(&store))
		state = ledger_compare(&store, arena, detail);
	store_finish(&store);
	return state;
}
