/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_STORE_STATEMENT_H
#define LATCHKEY_STORE_STATEMENT_H

#include "store/row.h"
#include "store/store.h"

/* A file of sql/queries/, as src/statements.py reads it. */
struct statement_text {
	const char *name;
	const char *sql;
	const struct field *parameters;
	size_t parameters_count;
	const struct field *row;
	size_t row_count;
	size_t row_size; /* octets of the struct; 0: the statement gives nothing */
};
extern const struct statement_text statement_texts[];

/* store_run() on the connection as it is: it does not connect. May wait. */
__attribute__((warn_unused_result)) enum store_result statement_run(struct store *store,
	struct arena *arena, unsigned statement, const void *parameters,
	struct statement_rows *rows);

/* Runs a command without parameters and result on the connection as it is. May wait. False: it was
 * refused, or the connection was lost. */
__attribute__((warn_unused_result)) bool statement_command(struct store *store, const char *sql);

#endif
