/* SPDX-License-Identifier: MIT */
/*
 * The ledger of the schema. Which steps a database has is written in the same transaction as the
 * step, so it is never in doubt; a service that finds other steps than its own does not serve.
 */
#include "store/schema.h"

#include <libpq-fe.h>
#include <string.h>

#include "store/row.h"

/* Any number, the same for everyone who migrates latchkey: it names the advisory lock. */
#define MIGRATION_LOCK "7810775199"

#define LEDGER                                                                                     \
	"CREATE TABLE IF NOT EXISTS schema_migrations (version bigint PRIMARY KEY, "               \
	"name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"

static const char *first_line(struct arena *arena, const char *message)
{
	return arena_copy(arena, message, strcspn(message, "\n"));
}

/* NULL, or what the server said. */
static const char *run(PGconn *connection, struct arena *arena, const char *sql)
{
	PGresult *result = PQexec(connection, sql);
	ExecStatusType status = PQresultStatus(result);
	const char *wrong = NULL;
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		wrong = first_line(arena, PQerrorMessage(connection));
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

const char *schema_migrate(const struct settings *settings, struct arena *arena,
	migration_progress *progress, void *context)
{
	const char *wrong = NULL;
	PGconn *connection = PQconnectdb(settings->database_url);
	if (PQstatus(connection) != CONNECTION_OK) {
		wrong = arena_format(arena, "cannot connect to database.url: %s",
			first_line(arena, PQerrorMessage(connection)));
		goto out;
	}
	PQsetNoticeReceiver(connection, ignore_notice, NULL);
	for (int i = 0; i < migration_count; i++) {
		bool applied = false;
		wrong = apply(connection, arena, &migrations[i], &applied);
		if (wrong) {
			wrong = arena_format(arena,
				"step %04d_%s was not applied, nothing of it is left: %s",
				migrations[i].version, migrations[i].name, wrong);
			goto out;
		}
		if (applied)
			progress(context, &migrations[i]);
	}
out:
	PQfinish(connection);
	return wrong;
}

/* Compares the ledger with the table of steps. */
static enum schema_state compare_rows(
	const struct rows *rows, struct arena *arena, const char **detail)
{
	for (size_t i = 0; i < rows->count; i++) {
		if (i >= (size_t)migration_count) {
			*detail = arena_format(arena,
				"the database has step %lld, this program knows %d: it is older "
				"than the database, install the newer one",
				(long long)rows_integer(rows, i, 0), migration_count);
			return SCHEMA_NEW;
		}
		if (rows_integer(rows, i, 0) != migrations[i].version ||
			!text_equal(rows_text(rows, i, 1), text_of(migrations[i].name))) {
			*detail = "schema_migrations belongs to another program: give latchkey a "
				  "schema or a database of its own";
			return SCHEMA_FOREIGN;
		}
	}
	if (rows->count < (size_t)migration_count) {
		*detail = arena_format(arena,
			"the database lacks %d of %d steps: run latchkey migrate",
			migration_count - (int)rows->count, migration_count);
		return SCHEMA_OLD;
	}
	*detail = NULL;
	return SCHEMA_FITS;
}

enum schema_state schema_compare(struct store *store, struct arena *arena, const char **detail)
{
	/* Asked first, for a database that was never migrated has no ledger to ask. */
	struct rows rows;
	switch (store_run_here(store, arena, STATEMENT_SCHEMA_LEDGER, NULL, 0, &rows)) {
	case STORE_ROWS:
		break;
	case STORE_FAILED:
		*detail = "the database refused a query";
		return SCHEMA_FOREIGN;
	default:
		*detail = "the database is away";
		return SCHEMA_AWAY;
	}
	if (!rows_boolean(&rows, 0, 0)) {
		*detail = "the database has no tables of latchkey: run latchkey migrate";
		return SCHEMA_OLD;
	}
	enum store_result result =
		store_run_here(store, arena, STATEMENT_SCHEMA_VERSIONS, NULL, 0, &rows);
	if (result == STORE_AWAY) {
		*detail = "the database is away";
		return SCHEMA_AWAY;
	}
	if (result == STORE_FAILED) {
		*detail = "schema_migrations belongs to another program, or may not be read";
		return SCHEMA_FOREIGN;
	}
	return compare_rows(&rows, arena, detail);
}

enum schema_state schema_check(const struct settings *settings, const struct log *log,
	struct arena *arena, const char **detail)
{
	struct store store;
	store_init(&store, settings, log);
	*detail = "the database is away";
	enum schema_state state = SCHEMA_AWAY;
	if (store_open(&store))
		state = schema_compare(&store, arena, detail);
	store_finish(&store);
	return state;
}
