/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_STORE_ROW_H
#define LATCHKEY_STORE_ROW_H

#include "store/store.h"

/*
 * Between C structs and PostgreSQL's binary formats, by tables of fields: nothing is quoted, and
 * nothing is parsed but lengths.
 */

enum field_kind {
	FIELD_TEXT, /* struct text */
	FIELD_BYTEA, /* struct text */
	FIELD_BIGINT, /* int64_t */
	FIELD_BOOLEAN, /* bool */
	FIELD_UUID, /* struct uuid */
};
#define FIELD_KINDS 5

struct field {
	enum field_kind kind;
	size_t offset; /* in the struct */
};

/* The types' numbers in PostgreSQL, which never change (pg_type.dat). */
extern const unsigned field_types[FIELD_KINDS];

#define PARAMETERS_MAXIMUM 24

/* Parameters as libpq takes them. Texts point into what they were made of. */
struct parameters {
	int count;
	unsigned types[PARAMETERS_MAXIMUM];
	const char *values[PARAMETERS_MAXIMUM];
	int lengths[PARAMETERS_MAXIMUM];
	int formats[PARAMETERS_MAXIMUM];
	char octets[PARAMETERS_MAXIMUM][UUID_SIZE]; /* of values that are no texts */
};

/* Fills parameters from a struct. It must stay where it is until libpq has taken them. */
void parameters_write(
	struct parameters *parameters, const struct field *fields, size_t count, const void *from);

/* Copies a result (PGresult) into the arena, as an array of structs of `size` octets. False: its columns
 * are not those of the fields. */
__attribute__((warn_unused_result)) bool rows_read(struct arena *arena, const void *result,
	const struct field *fields, size_t count, size_t size, struct statement_rows *rows);

#endif
