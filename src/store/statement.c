/* SPDX-License-Identifier: MIT */
/*
 * Statements by name. Each is prepared when a connection first needs it and sent with binary
 * parameters; the answer is waited for until database.timeout, for a server that hangs must not
 * hold a worker. What was sent and not answered may have happened: it is never sent again.
 */
#include "store/statement.h"

#include <assert.h>
#include <libpq-fe.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "store/row.h"

#define BINDS_MAXIMUM 16

/* Sends what libpq still holds; small statements leave at once. */
static bool flush_before(struct store *store, int64_t deadline)
{
	int rest;
	while ((rest = PQflush(store->connection)) > 0) {
		if (!store_wait(store, POLLIN | POLLOUT, deadline) ||
			!PQconsumeInput(store->connection))
			return false;
	}
	return rest == 0;
}

/* The result of what was sent, or NULL when it did not come in time. */
static PGresult *result_before(struct store *store, int64_t deadline)
{
	if (!flush_before(store, deadline))
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

static int64_t deadline_of(const struct store *store)
{
	return clock_monotonic_ms() + store->settings->database_timeout * 1000;
}

/* Classes of SQLSTATE that speak of the server's state, not of the statement: connections,
 * resources, shutdown, a standby that takes no writes, serialization. PostgreSQL appendix A. */
static bool is_passing(const char *state)
{
	static const char *const classes[] = { "08", "53", "57", "25", "40" };
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strncmp(state, classes[i], 2) == 0)
			return true;
	return false;
}

/* What an error means. The message may quote values: the log gets the state and the primary
 * message, which does not. */
static enum store_result classify(struct store *store, struct arena *arena, const char *name,
	const PGresult *result, struct rows *rows)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	if (!state || PQstatus(store->connection) != CONNECTION_OK) {
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
	log_error(store->log, "statement_failed", "statement=%s sqlstate=%s message=\"%s\"", name,
		state, message ? message : "");
	if (is_passing(state)) {
		store_lose(store, name);
		return STORE_AWAY;
	}
	return STORE_FAILED;
}

/* Takes the result and frees it. */
static enum store_result finish(struct store *store, struct arena *arena, const char *name,
	PGresult *result, struct rows *rows)
{
	enum store_result outcome;
	switch (result ? PQresultStatus(result) : PGRES_FATAL_ERROR) {
	case PGRES_TUPLES_OK:
		*rows = rows_of(arena, result);
		outcome = rows->count > 0 ? STORE_ROWS : STORE_NONE;
		break;
	case PGRES_COMMAND_OK:
		outcome = STORE_NONE;
		break;
	default:
		if (result) {
			outcome = classify(store, arena, name, result, rows);
			break;
		}
		store_lose(store, name);
		outcome = STORE_AWAY;
	}
	PQclear(result);
	return outcome;
}

static bool prepare(struct store *store, struct arena *arena, enum statement statement)
{
	const struct statement_text *text = &statement_texts[statement];
	if (store->prepared[statement])
		return true;
	struct rows rows;
	if (!PQsendPrepare(store->connection, text->name, text->sql, 0, NULL)) {
		store_lose(store, text->name);
		return false;
	}
	store->prepared[statement] =
		finish(store, arena, text->name, result_before(store, deadline_of(store)), &rows) ==
		STORE_NONE;
	return store->prepared[statement];
}

/* True once libpq has taken the statement. */
static bool send(
	struct store *store, enum statement statement, const struct bind *binds, size_t count)
{
	const struct statement_text *text = &statement_texts[statement];
	const char *values[BINDS_MAXIMUM];
	int lengths[BINDS_MAXIMUM];
	int formats[BINDS_MAXIMUM];
	assert(count <= BINDS_MAXIMUM);
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
	if (store->settings->database_prepared && !prepare(store, arena, statement))
		return store->connection ? STORE_FAILED : STORE_AWAY;
	if (!send(store, statement, binds, count)) {
		store_lose(store, name);
		return STORE_AWAY;
	}
	return finish(store, arena, name, result_before(store, deadline_of(store)), rows);
}

enum store_result store_run(struct store *store, struct arena *arena, enum statement statement,
	const struct bind *binds, size_t count, struct rows *rows)
{
	*rows = (struct rows){ 0 };
	if (!store_connect(store))
		return STORE_AWAY;
	return store_run_here(store, arena, statement, binds, count, rows);
}

bool store_command(struct store *store, const char *sql)
{
	if (!PQsendQuery(store->connection, sql)) {
		store_lose(store, "command");
		return false;
	}
	PGresult *result = result_before(store, deadline_of(store));
	bool done = PQresultStatus(result) == PGRES_COMMAND_OK;
	PQclear(result);
	if (!done)
		store_lose(store, sql);
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
