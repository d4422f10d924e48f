/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_BASE_JSON_H
#define LATCHKEY_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/text.h"

/*
 * JSON (RFC 8259), in and out. The one room that knows yajl, whose memory is the arena's.
 *
 * The reader takes one object and is stricter than the RFC demands: strict UTF-8, no unpaired
 * surrogate escapes, no duplicate key in any object, nothing behind the object, at most
 * JSON_DEPTH levels. What it accepts has one reading only.
 */
#define JSON_DEPTH 8

enum json_type { JSON_NULL, JSON_BOOLEAN, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_member {
	struct text name;
	enum json_type type;
	/* JSON_STRING: decoded, and it may hold U+0000; JSON_NUMBER: as written;
	 * JSON_BOOLEAN: "true" or "false"; JSON_ARRAY: its only element, where that is a
	 * string; else TEXT_NONE. */
	struct text value;
};

/* The members of the outer object. What is inside nested values is checked, but not kept. */
struct json_object {
	const struct json_member *members;
	size_t count;
};

/* Reads an object into the arena. On failure *reason is a constant phrase for people, without
 * anything of the input in it. */
__attribute__((warn_unused_result)) bool json_read(
	struct arena *arena, struct text json, struct json_object *object, const char **reason);

/* The member of that name, or NULL. */
const struct json_member *json_find(const struct json_object *object, struct text name);

/*
 * The writer keeps its first failure (text that is not UTF-8, say) to itself; it shows once, at
 * the end. key is NULL for elements of arrays and for the outermost value.
 */
struct json_writer {
	void *generator;
	bool failed;
};

void json_begin(struct json_writer *writer, struct arena *arena);
void json_open_object(struct json_writer *writer, const char *key);
void json_close_object(struct json_writer *writer);
void json_open_array(struct json_writer *writer, const char *key);
void json_close_array(struct json_writer *writer);
void json_text(struct json_writer *writer, const char *key, struct text value);
void json_string(struct json_writer *writer, const char *key, const char *value);
void json_integer(struct json_writer *writer, const char *key, int64_t value);
void json_boolean(struct json_writer *writer, const char *key, bool value);
void json_null(struct json_writer *writer, const char *key);

/* The whole document, compact, in the arena. False if anything failed on the way. */
__attribute__((warn_unused_result)) bool json_end(struct json_writer *writer, struct text *json);

#endif
