/* SPDX-License-Identifier: MIT */
/*
 * Statements by number. Each is prepared when a connection first needs it and sent with binary
 * parameters; the answer is waited for until database.timeout, for a server that hangs must not
 * hold a worker. What was sent and not answered may have happened: it is never sent again.
 */
#include "store/statement.h"

#include <libpq-fe.h>
#include <string.h>

#include "base/check.h"
#include "store/pipeline.h"

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

/* One run of a statement. */
struct run {
	struct store *store;
	struct arena *arena;
	unsigned statement;
	const struct statement_text *text;
	unsigned connection; /* on which one, of those made so far */
	struct parameters parameters;
};

/* What an error means. The message may quote values: the log gets the state and the primary message,
 * which does not. */
static enum store_result classify(
	const struct run *run, const PGresult *result, struct statement_rows *rows)
{
	struct store *store = run->store;
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	/* others may have lost it and made another meanwhile */
	bool present = store->connection && store->connections == run->connection;
	if (!state || (present && PQstatus(store->connection) != CONNECTION_OK)) {
		if (present)
			pipeline_lose(store, run->text->name);
		return STORE_AWAY;
	}
	if (strcmp(state, "23505") == 0) {
		const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
		rows->constraint = arena_copy(run->arena, constraint ? constraint : "",
			constraint ? strlen(constraint) : 0);
		return STORE_CONFLICT;
	}
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	log_error(store->log, "statement_failed", "statement=%s sqlstate=%s message=\"%s\"%s",
		run->text->name, state, message ? message : "", advice(store, state));
	const struct passing *class = passing_of(state);
	if (class && class->reconnect && present)
		pipeline_lose(store, run->text->name);
	return class ? STORE_AWAY : STORE_FAILED;
}

/* Rows of another form come from another schema than the one that the statement was written for. */
static enum store_result read_rows(
	const struct run *run, const PGresult *result, struct statement_rows *rows)
{
	const struct statement_text *text = run->text;
	if (!rows_read(run->arena, result, text->row, text->row_count, text->row_size, rows)) {
		*rows = (struct statement_rows){ 0 };
		log_error(run->store->log, "statement_failed",
			"statement=%s message=\"its columns are not those of its row\"",
			text->name);
		return STORE_FAILED;
	}
	return rows->count > 0 ? STORE_ROWS : STORE_NONE;
}

/* Takes the result and frees it. NULL: the connection was lost. */
static enum store_result finish(
	const struct run *run, PGresult *result, struct statement_rows *rows)
{
	enum store_result outcome = STORE_AWAY;
	switch (result ? PQresultStatus(result) : PGRES_EMPTY_QUERY) {
	case PGRES_TUPLES_OK:
		outcome = read_rows(run, result, rows);
		break;
	case PGRES_COMMAND_OK:
		outcome = STORE_NONE;
		break;
	case PGRES_EMPTY_QUERY:
		break;
	default:
		outcome = classify(run, result, rows);
	}
	PQclear(result);
	return outcome;
}

/* Sends what prepares the statement, where that is needed, ahead of it; *pending is its answer's, which
 * is there when the statement's is. False: the statement cannot be sent. */
static bool prepare_ahead(const struct run *run, struct pending *pending)
{
	struct store *store = run->store;
	const struct parameters *parameters = &run->parameters;
	bool *prepared = &store->prepared[run->statement];
	*pending = (struct pending){ .done = true };
	if (!store->settings->database_prepared || *prepared)
		return true;
	/* said before it may wait: who comes meanwhile sends behind it */
	*prepared = PQsendPrepare(store->connection, run->text->name, run->text->sql,
		parameters->count, parameters->types);
	return *prepared && pending_submit(store, pending, run->text->name);
}

/* True once libpq has taken the statement. */
static bool send(const struct run *run)
{
	const struct parameters *parameters = &run->parameters;
	PGconn *connection = run->store->connection;
	if (run->store->prepared[run->statement])
		return PQsendQueryPrepared(connection, run->text->name, parameters->count,
			parameters->values, parameters->lengths, parameters->formats, 1);
	return PQsendQueryParams(connection, run->text->sql, parameters->count, parameters->types,
		parameters->values, parameters->lengths, parameters->formats, 1);
}

enum store_result statement_run(struct store *store, struct arena *arena, unsigned statement,
	const void *parameters, struct statement_rows *rows)
{
	struct run run = { .store = store,
		.arena = arena,
		.statement = statement,
		.text = &statement_texts[statement],
		.connection = store->connections };
	struct pending preparing;
	struct pending pending;
	*rows = (struct statement_rows){ 0 };
	parameters_write(
		&run.parameters, run.text->parameters, run.text->parameters_count, parameters);
	if (!prepare_ahead(&run, &preparing) || !send(&run)) {
		if (store->connection && store->connections == run.connection)
			pipeline_lose(store, run.text->name);
		PQclear(preparing.result);
		return STORE_AWAY;
	}
	if (pending_submit(store, &pending, run.text->name))
		pending_await(store, &pending);
	if (preparing.result && PQresultStatus(preparing.result) != PGRES_COMMAND_OK) {
		if (store->connections == run.connection)
			store->prepared[statement] = false;
		PQclear(pending.result);
		return finish(&run, preparing.result, rows);
	}
	PQclear(preparing.result);
	return finish(&run, pending.result, rows);
}

bool statement_command(struct store *store, const char *sql)
{
	struct pending pending = { .done = true };
	if (!PQsendQueryParams(store->connection, sql, 0, NULL, NULL, NULL, NULL, 1))
		return false;
	if (pending_submit(store, &pending, sql))
		pending_await(store, &pending);
	bool done = PQresultStatus(pending.result) == PGRES_COMMAND_OK;
	PQclear(pending.result);
	return done;
}
