/* SPDX-License-Identifier: MIT */
/*
 * Brings a database to this program's schema, on a connection of its own that may block: one step
 * after the other, each in a transaction together with its row in the ledger.
 */
#include "store/schema.h"

#include <libpq-fe.h>
#include <string.h>

#include "store/ledger.h"
#include "store/statement.h"

/* Any number, the same for everyone who migrates latchkey: it names the advisory lock. */
#define MIGRATION_LOCK "7810775199"

/* Seconds for each host of database.url, where the string names no connect_timeout of its own. */
#define CONNECT_TIMEOUT "10"

#define LEDGER                                                                                     \
	"CREATE TABLE IF NOT EXISTS schema_migrations (version bigint PRIMARY KEY, "               \
	"name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"

static const char *first_line(struct arena *arena, const char *message)
{
	return arena_copy(arena, message, strcspn(message, "\n"));
}

/* What the server said, and what to do where the role lacks a right. */
static const char *refusal(PGconn *connection, struct arena *arena, const PGresult *result)
{
	const char *said = first_line(arena, PQerrorMessage(connection));
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	if (!state || strcmp(state, "42501") != 0)
		return said;
	return arena_format(arena,
		"%s; migrate as the role that owns the tables, or may create them: latchkey "
		"migrate -o database.url=postgresql://OWNER@host/name",
		said);
}

/* NULL, or what the server said. */
static const char *run(PGconn *connection, struct arena *arena, const char *sql)
{
	PGresult *result = PQexec(connection, sql);
	ExecStatusType status = PQresultStatus(result);
	const char *wrong = NULL;
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		wrong = refusal(connection, arena, result);
	PQclear(result);
	return wrong;
}

/* Applies the step unless the ledger has it; in one transaction, so that one of several who
 * migrate at the same time does it and the others see it done. */
static const char *apply(
	PGconn *connection, struct arena *arena, const struct migration *migration, bool *applied)
{
	const char *wrong = run(connection, arena,
		"BEGIN; SELECT pg_advisory_xact_lock(" MIGRATION_LOCK "); " LEDGER);
	if (wrong)
		return wrong;
	PGresult *known = PQexec(connection,
		arena_format(arena, "SELECT name FROM schema_migrations WHERE version = %d",
			migration->version));
	if (PQresultStatus(known) != PGRES_TUPLES_OK)
		wrong = first_line(arena, PQerrorMessage(connection));
	else if (PQntuples(known) > 0 && strcmp(PQgetvalue(known, 0, 0), migration->name) != 0)
		wrong = arena_format(arena,
			"step %d is %s there and %s here: the schema belongs to another program",
			migration->version, PQgetvalue(known, 0, 0), migration->name);
	bool there = !wrong && PQntuples(known) > 0;
	PQclear(known);
	if (!wrong && !there)
		wrong = run(connection, arena, migration->sql);
	if (!wrong && !there)
		wrong = run(connection, arena,
			arena_format(arena,
				"INSERT INTO schema_migrations (version, name) VALUES (%d, '%s')",
				migration->version, migration->name));
	if (!wrong)
		wrong = run(connection, arena, "COMMIT");
	*applied = !wrong && !there;
	return wrong;
}

static void ignore_notice(void *context, const PGresult *result)
{
	(void)context;
	(void)result;
}

/* NULL and what a statement without parameters gives, or what the server said. */
static const char *ask(
	PGconn *connection, struct arena *arena, unsigned statement, struct statement_rows *rows)
{
	const struct statement_text *text = &statement_texts[statement];
	const char *wrong = NULL;
	PGresult *result = PQexecParams(connection, text->sql, 0, NULL, NULL, NULL, NULL, 1);
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		wrong = refusal(connection, arena, result);
	else if (!rows_read(arena, result, text->row, text->row_count, text->row_size, rows))
		wrong = "schema_migrations belongs to another program";
	PQclear(result);
	return wrong;
}

/* What the ledger says, without writing: a role that may not create tables has nothing to do where
 * another has migrated. NULL and the state, or what is wrong. */
static const char *look(PGconn *connection, struct arena *arena, enum schema_state *state)
{
	struct statement_rows rows = { 0 };
	const char *detail = NULL;
	*state = SCHEMA_OLD;
	const char *wrong = ask(connection, arena, STATEMENT_SCHEMA_LEDGER, &rows);
	const struct schema_ledger_row *ledger = rows.at;
	if (!wrong && rows.count > 0 && ledger->there) {
		wrong = ask(connection, arena, STATEMENT_SCHEMA_VERSIONS, &rows);
		if (!wrong)
			*state = ledger_state(rows.at, rows.count, arena, &detail);
	}
	return *state == SCHEMA_NEW || *state == SCHEMA_FOREIGN ? detail : wrong;
}

/* A host that does not answer must not keep a start waiting; the string may say otherwise. */
static PGconn *connect_within(const char *url)
{
	static const char *const keywords[] = { "connect_timeout", "dbname", NULL };
	const char *const values[] = { CONNECT_TIMEOUT, url, NULL };
	PGconn *connection = PQconnectdbParams(keywords, values, 1);
	PQsetNoticeReceiver(connection, ignore_notice, NULL);
	return connection;
}

static const char *apply_missing(
	PGconn *connection, struct arena *arena, migration_progress *progress, void *context)
{
	for (int i = 0; i < migration_count; i++) {
		bool applied = false;
		const char *wrong = apply(connection, arena, &migrations[i], &applied);
		if (wrong)
			return arena_format(arena,
				"step %04d_%s was not applied, nothing of it is left: %s",
				migrations[i].version, migrations[i].name, wrong);
		if (applied)
			progress(context, &migrations[i]);
	}
	return NULL;
}

const char *schema_migrate(const struct settings *settings, struct arena *arena,
	migration_progress *progress, void *context)
{
	const char *wrong = NULL;
	enum schema_state state;
	PGconn *connection = connect_within(settings->database_url);
	if (PQstatus(connection) != CONNECTION_OK) {
		wrong = arena_format(arena, "cannot connect to database.url: %s",
			first_line(arena, PQerrorMessage(connection)));
		goto out;
	}
	wrong = look(connection, arena, &state);
	if (!wrong && state != SCHEMA_FITS)
		wrong = apply_missing(connection, arena, progress, context);
out:
	PQfinish(connection);
	return wrong;
}
