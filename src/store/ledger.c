/* SPDX-License-Identifier: MIT */
/*
 * The ledger of the schema. Which steps a database has is written in the same transaction as the
 * step, so it is never in doubt; a service that finds other steps than its own does not serve.
 */
#include "store/ledger.h"

#include "store/statement.h"

enum schema_state ledger_state(const struct schema_versions_row *steps, size_t count,
	struct arena *arena, const char **detail)
{
	for (size_t i = 0; i < count; i++) {
		if (i >= (size_t)migration_count) {
			*detail = arena_format(arena,
				"the database has step %lld, this program knows %d: it is older "
				"than the database, install the newer one",
				(long long)steps[i].version, migration_count);
			return SCHEMA_NEW;
		}
		if (steps[i].version != migrations[i].version ||
			!text_equal(steps[i].name, text_of(migrations[i].name))) {
			*detail = "schema_migrations belongs to another program: give latchkey a "
				  "schema or a database of its own";
			return SCHEMA_FOREIGN;
		}
	}
	if (count < (size_t)migration_count) {
		*detail = arena_format(arena,
			"the database lacks %d of %d steps: run latchkey migrate",
			migration_count - (int)count, migration_count);
		return SCHEMA_OLD;
	}
	*detail = NULL;
	return SCHEMA_FITS;
}

static enum schema_state away(const char **detail)
{
	*detail = "the database is away";
	return SCHEMA_AWAY;
}

enum schema_state ledger_compare(struct store *store, struct arena *arena, const char **detail)
{
	/* asked first, for a database that was never migrated has no ledger to ask */
	struct statement_rows rows;
	enum store_result result =
		statement_run(store, arena, STATEMENT_SCHEMA_LEDGER, NULL, &rows);
	if (result == STORE_AWAY)
		return away(detail);
	if (result != STORE_ROWS) {
		*detail = "the database refused a query";
		return SCHEMA_FOREIGN;
	}
	const struct schema_ledger_row *ledger = rows.at;
	if (!ledger->there) {
		*detail = "the database has no tables of latchkey: run latchkey migrate";
		return SCHEMA_OLD;
	}
	result = statement_run(store, arena, STATEMENT_SCHEMA_VERSIONS, NULL, &rows);
	if (result == STORE_AWAY)
		return away(detail);
	if (result == STORE_FAILED) {
		*detail = "schema_migrations belongs to another program, or may not be read";
		return SCHEMA_FOREIGN;
	}
	return ledger_state(rows.at, rows.count, arena, detail);
}
