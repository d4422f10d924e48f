/* SPDX-License-Identifier: MIT */
/*
 * Statements by name. Each is prepared when a connection first needs it and sent with binary
 * parameters; the answer is waited for until database.timeout, for a server that hangs must not
 * hold a worker. What was sent and not answered may have happened: it is never sent again.
 */
#include "store/statement.h"

#include <libpq-fe.h>
#include <poll.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "store/row.h"

#define BINDS_MAXIMUM 16

int64_t store_deadline(const struct store *store)
{
	return clock_monotonic_ms() + store->settings->database_timeout * 1000;
}

/* Small statements leave at once. */
bool store_flush(struct store *store, int64_t deadline)
{
	int rest;
	while ((rest = PQflush(store->connection)) > 0) {
		if (!store_wait(store, POLLIN | POLLOUT, deadline) ||
			!PQconsumeInput(store->connection))
			return false;
	}
	return rest == 0;
}

/* Classes of SQLSTATE that speak of the server's state, not of the statement, and whether
 * another connection may find another state. PostgreSQL appendix A. */
static const struct passing {
	const char *class;
	bool reconnect;
} passing[] = {
	{ "08", true }, /* connections */
	{ "25", true }, /* a standby that takes no writes */
	{ "57", true }, /* shutdown */
	{ "40", false }, /* serialization, deadlocks */
	{ "53", false }, /* resources */
};

static const struct passing *passing_of(const char *state)
{
	for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
		if (strncmp(state, passing[i].class, 2) == 0)
			return &passing[i];
	return NULL;
}

/* A statement that was prepared on one server connection and is sent on another: there is none by its
 * name, or it is another client's. PostgreSQL itself does not mix them up. */
static const char *advice(const struct store *store, const char *state)
{
	bool mixed = strcmp(state, "26000") == 0 || strcmp(state, "42P05") == 0;
	return mixed && store->settings->database_prepared
		       ? " (a pooler shares the server's connections by transaction: set "
			 "database.prepared = no)"
		       : "";
}

/* What an error means, on which connection made so far. The message may quote values: the log gets
 * the state and the primary message, which does not. */
static enum store_result classify(struct store *store, struct arena *arena, const char *name,
	unsigned connection, const PGresult *result, struct rows *rows)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	/* others may have lost it and made another meanwhile */
	bool present = store->connection && store->connections == connection;
	if (!state || (present && PQstatus(store->connection) != CONNECTION_OK)) {
		if (present)
			store_lose(store, name);
		return STORE_AWAY;
	}
	if (strcmp(state, "23505") == 0) {
		const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
		rows->constraint = arena_copy(
			arena, constraint ? constraint : "", constraint ? strlen(constraint) : 0);
		return STORE_CONFLICT;
	}
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	log_error(store->log, "statement_failed", "statement=%s sqlstate=%s message=\"%s\"%s", name,
		state, message ? message : "", advice(store, state));
	const struct passing *class = passing_of(state);
	if (class && class->reconnect && present)
		store_lose(store, name);
	return class ? STORE_AWAY : STORE_FAILED;
}

/* Takes the result and frees it. NULL: the connection was lost. */
static enum store_result finish(struct store *store, struct arena *arena, const char *name,
	unsigned connection, PGresult *result, struct rows *rows)
{
	enum store_result outcome = STORE_AWAY;
	switch (result ? PQresultStatus(result) : PGRES_EMPTY_QUERY) {
	case PGRES_TUPLES_OK:
		*rows = rows_of(arena, result);
		outcome = rows->count > 0 ? STORE_ROWS : STORE_NONE;
		break;
	case PGRES_COMMAND_OK:
		outcome = STORE_NONE;
		break;
	case PGRES_EMPTY_QUERY:
		break;
	default:
		outcome = classify(store, arena, name, connection, result, rows);
	}
	PQclear(result);
	return outcome;
}

/* Sends what prepares the statement, where that is needed, ahead of it; *pending is its answer's, which
 * is there when the statement's is. False: the statement cannot be sent. */
static bool prepare_ahead(struct store *store, enum statement statement, struct pending *pending)
{
	const struct statement_text *text = &statement_texts[statement];
	*pending = (struct pending){ .done = true };
	if (!store->settings->database_prepared || store->prepared[statement])
		return true;
	/* said before it may wait: who comes meanwhile sends behind it */
	store->prepared[statement] =
		PQsendPrepare(store->connection, text->name, text->sql, 0, NULL);
	return store->prepared[statement] && pending_submit(store, pending, text->name);
}

/* True once libpq has taken the statement. */
static bool send(
	struct store *store, enum statement statement, const struct bind *binds, size_t count)
{
	const struct statement_text *text = &statement_texts[statement];
	const char *values[BINDS_MAXIMUM];
	int lengths[BINDS_MAXIMUM];
	int formats[BINDS_MAXIMUM];
	CHECK(count <= BINDS_MAXIMUM);
	for (size_t i = 0; i < count; i++) {
		values[i] = binds[i].own ? binds[i].octets : binds[i].at;
		lengths[i] = (int)binds[i].length;
		formats[i] = 1;
	}
	if (store->prepared[statement])
		return PQsendQueryPrepared(
			store->connection, text->name, (int)count, values, lengths, formats, 1);
	return PQsendQueryParams(
		store->connection, text->sql, (int)count, NULL, values, lengths, formats, 1);
}

enum store_result store_run_here(struct store *store, struct arena *arena, enum statement statement,
	const struct bind *binds, size_t count, struct rows *rows)
{
	const char *name = statement_texts[statement].name;
	*rows = (struct rows){ 0 };
	unsigned connection = store->connections;
	struct pending preparing;
	struct pending pending;
	if (!prepare_ahead(store, statement, &preparing) || !send(store, statement, binds, count)) {
		if (store->connection && store->connections == connection)
			store_lose(store, name);
		PQclear(preparing.result);
		return STORE_AWAY;
	}
	if (pending_submit(store, &pending, name))
		pending_await(store, &pending);
	if (preparing.result && PQresultStatus(preparing.result) != PGRES_COMMAND_OK) {
		if (store->connections == connection)
			store->prepared[statement] = false;
		PQclear(pending.result);
		return finish(store, arena, name, connection, preparing.result, rows);
	}
	PQclear(preparing.result);
	return finish(store, arena, name, connection, pending.result, rows);
}

enum store_result store_run(struct store *store, struct arena *arena, enum statement statement,
	const struct bind *binds, size_t count, struct rows *rows)
{
	*rows = (struct rows){ 0 };
	if (!store_connect(store))
		return STORE_AWAY;
	return store_run_here(store, arena, statement, binds, count, rows);
}

/* What came of a command: the last of its results, or NULL when it did not come in time. */
static PGresult *result_before(struct store *store, int64_t deadline)
{
	if (!store_flush(store, deadline))
		return NULL;
	PGresult *last = NULL;
	for (;;) {
		while (PQisBusy(store->connection)) {
			if (!store_wait(store, POLLIN, deadline) ||
				!PQconsumeInput(store->connection)) {
				PQclear(last);
				return NULL;
			}
		}
		PGresult *next = PQgetResult(store->connection);
		if (!next)
			break;
		PQclear(last);
		last = next;
	}
	store->used_at = clock_monotonic_ms();
	return last;
}

/* By the simple protocol, which takes several statements at once, as migrations are. */
bool store_command(struct store *store, const char *sql)
{
	bool done = false;
	if (PQexitPipelineMode(store->connection) && PQsendQuery(store->connection, sql)) {
		PGresult *result = result_before(store, store_deadline(store));
		done = PQresultStatus(result) == PGRES_COMMAND_OK &&
		       PQenterPipelineMode(store->connection);
		PQclear(result);
	}
	if (!done)
		store_lose(store, "command");
	return done;
}

bool store_begin(struct store *store)
{
	return store_connect(store) && store_command(store, "BEGIN");
}

bool store_commit(struct store *store)
{
	return store->connection && store_command(store, "COMMIT");
}

void store_rollback(struct store *store)
{
	if (store->connection && !store_command(store, "ROLLBACK"))
		store_finish(store);
}
