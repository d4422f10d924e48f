/* SPDX-License-Identifier: MIT */
/* Reads and writes structs by tables of fields, in the binary formats of PostgreSQL's types: integers
 * are big-endian. */
#include "store/row.h"

#include <libpq-fe.h>
#include <string.h>

#include "base/check.h"

const unsigned field_types[FIELD_KINDS] = {
	[FIELD_TEXT] = 25,
	[FIELD_BYTEA] = 17,
	[FIELD_BIGINT] = 20,
	[FIELD_BOOLEAN] = 16,
	[FIELD_UUID] = 2950,
};

/* Octets of a value; 0: any number. */
static const int field_widths[FIELD_KINDS] = {
	[FIELD_BIGINT] = sizeof(int64_t),
	[FIELD_BOOLEAN] = 1,
	[FIELD_UUID] = UUID_SIZE,
};

static void write_text(struct parameters *parameters, int at, const struct text *text)
{
	parameters->values[at] = text->at;
	parameters->lengths[at] = (int)text->length;
}

static void write_bigint(char *octets, int64_t value)
{
	for (size_t i = 0; i < sizeof(value); i++)
		octets[i] = (char)((uint64_t)value >> (56 - 8 * i));
}

static void write_field(
	struct parameters *parameters, int at, enum field_kind kind, const void *from)
{
	static const struct uuid nil;
	char *octets = parameters->octets[at];
	parameters->values[at] = octets;
	parameters->lengths[at] = field_widths[kind];
	switch (kind) {
	case FIELD_TEXT:
	case FIELD_BYTEA:
		write_text(parameters, at, from);
		break;
	case FIELD_BIGINT:
		write_bigint(octets, *(const int64_t *)from);
		break;
	case FIELD_BOOLEAN:
		octets[0] = *(const bool *)from;
		break;
	case FIELD_UUID:
		memcpy(octets, from, UUID_SIZE);
		if (memcmp(octets, nil.octets, UUID_SIZE) == 0)
			parameters->values[at] = NULL;
		break;
	}
}

void parameters_write(
	struct parameters *parameters, const struct field *fields, size_t count, const void *from)
{
	CHECK(count <= PARAMETERS_MAXIMUM);
	parameters->count = (int)count;
	for (size_t i = 0; i < count; i++) {
		parameters->types[i] = field_types[fields[i].kind];
		parameters->formats[i] = 1;
		write_field(
			parameters, (int)i, fields[i].kind, (const char *)from + fields[i].offset);
	}
}

static int64_t read_bigint(const char *octets)
{
	uint64_t value = 0;
	for (size_t i = 0; i < sizeof(value); i++)
		value = value << 8 | (unsigned char)octets[i];
	return (int64_t)value;
}

/* One value that is not NULL. */
static void read_field(
	struct arena *arena, enum field_kind kind, const char *octets, size_t length, void *to)
{
	switch (kind) {
	case FIELD_TEXT:
	case FIELD_BYTEA:
		*(struct text *)to = (struct text){ arena_copy(arena, octets, length), length };
		break;
	case FIELD_BIGINT:
		*(int64_t *)to = read_bigint(octets);
		break;
	case FIELD_BOOLEAN:
		*(bool *)to = octets[0] != 0;
		break;
	case FIELD_UUID:
		memcpy(to, octets, UUID_SIZE);
		break;
	}
}

static bool columns_fit(const PGresult *result, const struct field *fields, size_t count)
{
	if ((size_t)PQnfields(result) != count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (PQftype(result, (int)i) != field_types[fields[i].kind] ||
			PQfformat(result, (int)i) != 1)
			return false;
	return true;
}

bool rows_read(struct arena *arena, const void *result, const struct field *fields, size_t count,
	size_t size, struct statement_rows *rows)
{
	int row_count = PQntuples(result);
	char *structs = arena_alloc(arena, (size_t)row_count * size);
	if (!columns_fit(result, fields, count))
		return false;
	for (int row = 0; row < row_count; row++) {
		char *to = structs + (size_t)row * size;
		for (size_t i = 0; i < count; i++) {
			int length = PQgetlength(result, row, (int)i);
			int width = field_widths[fields[i].kind];
			if (PQgetisnull(result, row, (int)i))
				continue;
			if (width > 0 && length != width)
				return false;
			read_field(arena, fields[i].kind, PQgetvalue(result, row, (int)i),
				(size_t)length, to + fields[i].offset);
		}
	}
	rows->count = (size_t)row_count;
	rows->at = structs;
	return true;
}
