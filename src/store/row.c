/* SPDX-License-Identifier: MIT */
/* Results and parameters are binary: nothing is quoted, and nothing is parsed but lengths. */
#include "store/row.h"

#include <libpq-fe.h>
#include <string.h>

#include "base/check.h"

struct bind bind_text(struct text text)
{
	return (struct bind){ .at = text.at, .length = text.length };
}

struct bind bind_octets(const void *octets, size_t size)
{
	return (struct bind){ .at = octets, .length = size };
}

struct bind bind_integer(int64_t value)
{
	struct bind bind = { .own = true, .length = sizeof(value) };
	for (size_t i = 0; i < sizeof(value); i++)
		bind.octets[i] = (char)((uint64_t)value >> (56 - 8 * i));
	return bind;
}

struct bind bind_boolean(bool value)
{
	return (struct bind){ .own = true, .length = 1, .octets = { value } };
}

struct bind bind_uuid(struct uuid uuid)
{
	struct bind bind = { .own = true, .length = UUID_SIZE };
	memcpy(bind.octets, uuid.octets, UUID_SIZE);
	return bind;
}

struct rows rows_of(struct arena *arena, const void *result)
{
	struct rows rows = { .count = (size_t)PQntuples(result),
		.columns = (size_t)PQnfields(result) };
	struct text *values = arena_alloc(arena, rows.count * rows.columns * sizeof(*values));
	for (size_t i = 0; i < rows.count * rows.columns; i++) {
		int row = (int)(i / rows.columns);
		int column = (int)(i % rows.columns);
		if (PQgetisnull(result, row, column))
			continue;
		values[i].length = (size_t)PQgetlength(result, row, column);
		values[i].at = arena_copy(arena, PQgetvalue(result, row, column), values[i].length);
	}
	rows.values = values;
	return rows;
}

struct text rows_text(const struct rows *rows, size_t row, size_t column)
{
	CHECK(row < rows->count && column < rows->columns);
	return rows->values[row * rows->columns + column];
}

bool rows_is_null(const struct rows *rows, size_t row, size_t column)
{
	return !text_is_given(rows_text(rows, row, column));
}

int64_t rows_integer(const struct rows *rows, size_t row, size_t column)
{
	struct text value = rows_text(rows, row, column);
	if (!text_is_given(value))
		return 0;
	CHECK(value.length == 4 || value.length == 8);
	uint64_t integer = value.length == 4 && (value.at[0] & 0x80) ? UINT64_MAX : 0;
	for (size_t i = 0; i < value.length; i++)
		integer = integer << 8 | (unsigned char)value.at[i];
	return (int64_t)integer;
}

bool rows_boolean(const struct rows *rows, size_t row, size_t column)
{
	struct text value = rows_text(rows, row, column);
	CHECK(!text_is_given(value) || value.length == 1);
	return text_is_given(value) && value.at[0] != 0;
}

struct uuid rows_uuid(const struct rows *rows, size_t row, size_t column)
{
	struct text value = rows_text(rows, row, column);
	struct uuid uuid = { { 0 } };
	CHECK(!text_is_given(value) || value.length == UUID_SIZE);
	if (text_is_given(value))
		memcpy(uuid.octets, value.at, UUID_SIZE);
	return uuid;
}
