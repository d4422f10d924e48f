/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_STORE_LEDGER_H
#define LATCHKEY_STORE_LEDGER_H

#include "store/schema.h"
#include "store/statements.h"

/* Compares the ledger of a database (all its steps, in order) with the table of steps. *detail, in the
 * arena, says what is wrong and what to do where it is not SCHEMA_FITS. */
__attribute__((warn_unused_result)) enum schema_state ledger_state(
	const struct schema_versions_row *steps, size_t count, struct arena *arena,
	const char **detail);

/* The same of the database that the store is connected to. It does not connect. May wait. */
__attribute__((warn_unused_result)) enum schema_state ledger_compare(
	struct store *store, struct arena *arena, const char **detail);

#endif
