/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_STORE_STATEMENT_H
#define LATCHKEY_STORE_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/text.h"
#include "base/uuid.h"
#include "store/connection.h"

/* A parameter in PostgreSQL's binary format. Made by the functions below; the octets of texts
 * are the caller's until the statement has run. */
struct bind {
	const char *at; /* NULL: SQL NULL, unless `own` is used */
	size_t length;
	bool own; /* the value is in octets */
	char octets[16];
};

struct bind bind_text(struct text text); /* TEXT_NONE is NULL */
struct bind bind_octets(const void *octets, size_t size);
struct bind bind_integer(int64_t value); /* bigint */
struct bind bind_boolean(bool value);
struct bind bind_uuid(struct uuid uuid);

enum store_result {
	STORE_ROWS, /* one at least */
	STORE_NONE, /* it ran, and there is no row */
	STORE_CONFLICT, /* a unique constraint; rows->constraint names it; nothing was changed */
	STORE_AWAY, /* no answer in time, or no connection: what was sent may have happened */
	STORE_FAILED, /* the server refused the statement: a bug or a damaged schema, logged */
};

/* What a statement gave, wholly in the arena. */
struct rows {
	size_t count;
	size_t columns;
	const struct text *values; /* row by row; at == NULL is SQL NULL */
	const char *constraint; /* STORE_CONFLICT only */
};

/* Runs one statement, in one round trip (two the first time on a connection). It is sent once:
 * a failure after sending is not repeated. rows is written in every case. */
__attribute__((warn_unused_result)) enum store_result store_run(struct store *store,
	struct arena *arena, enum statement statement, const struct bind *binds, size_t count,
	struct rows *rows);

/* The common call: the binds in place. */
#define STORE_RUN(store, arena, statement, rows, ...)                                              \
	store_run((store), (arena), (statement), (const struct bind[]){ __VA_ARGS__ },             \
		sizeof((const struct bind[]){ __VA_ARGS__ }) / sizeof(struct bind), (rows))

/* BEGIN, COMMIT or ROLLBACK for the few who hold rows over something slow. False when away. */
__attribute__((warn_unused_result)) bool store_begin(struct store *store);
__attribute__((warn_unused_result)) bool store_commit(struct store *store);
void store_rollback(struct store *store);

/* Getters; row and column must be there, and the type that of the statement's signature (an
 * assertion says so). NULL reads as TEXT_NONE, 0, false, the nil UUID. */
bool rows_is_null(const struct rows *rows, size_t row, size_t column);
struct text rows_text(const struct rows *rows, size_t row, size_t column); /* and bytea */
int64_t rows_integer(const struct rows *rows, size_t row, size_t column); /* bigint, integer */
bool rows_boolean(const struct rows *rows, size_t row, size_t column);
struct uuid rows_uuid(const struct rows *rows, size_t row, size_t column);

#endif
