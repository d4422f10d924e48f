/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_STORE_SCHEMA_H
#define LATCHKEY_STORE_SCHEMA_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/settings.h"
#include "store/store.h"

/* A step of the schema, from sql/migrations/NNNN_name.sql. */
struct migration {
	int version; /* NNNN */
	const char *name; /* without number and ending */
	const char *sql;
};

/* All there are, in order; the generated table. */
extern const struct migration migrations[];
extern const int migration_count;

/* Called for each step that was applied. */
typedef void migration_progress(void *context, const struct migration *migration);

/*
 * Brings the database to this program's schema: each missing step in a transaction of its own,
 * under an advisory lock, so that several may try at once. Where no step is missing it only reads, so
 * a role that may not create tables will do. Returns NULL, or what is wrong and what to do, in the
 * arena: the database is away (10 seconds for each host, unless database.url has a connect_timeout),
 * a right is missing, or the schema is newer or another program's. The steps before it stay applied.
 * Waits for the database, and for others who migrate.
 */
__attribute__((warn_unused_result)) const char *schema_migrate(const struct settings *settings,
	struct arena *arena, migration_progress *progress, void *context);

enum schema_state { SCHEMA_FITS, SCHEMA_OLD, SCHEMA_NEW, SCHEMA_FOREIGN, SCHEMA_AWAY };

/* Whether the database has just the steps that this program has. *detail, in the arena, says
 * what is wrong and what to do where it is not SCHEMA_FITS. */
__attribute__((warn_unused_result)) enum schema_state schema_check(const struct settings *settings,
	const struct log *log, struct arena *arena, const char **detail);

#endif
