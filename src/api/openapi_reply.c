/* SPDX-License-Identifier: MIT */
/*
 * The schemas of what goes out. Objects that many answers share have names, so that generated clients
 * have one type for them; which object is which is told by its members, for the tables of
 * a dialect name none.
 */
#include <string.h>

#include "api/openapi_parts.h"

#define FLAT_MAXIMUM 64

/* The rows of one object, without what opens and closes it. */
struct span {
	const struct reply_member *rows;
	size_t count;
};

/* The row that closes the object whose first row is `from`. */
static size_t closing(struct span span, size_t from)
{
	for (size_t depth = 0; from < span.count; from++) {
		if (span.rows[from].kind == REPLY_CLOSE && depth-- == 0)
			return from;
		depth += span.rows[from].kind == REPLY_OPEN;
	}
	return from;
}

static struct span list_of(const struct reply_member *rows)
{
	struct span span = { rows, 0 };
	while (rows[span.count].kind != REPLY_STOP)
		span.count++;
	return span;
}

/* The name of an object with these members, or NULL. */
static const char *name_of(struct span span)
{
	bool access = false;
	bool refresh = false;
	if (span.count == 1 && span.rows[0].kind == REPLY_MESSAGE)
		return "Message";
	if (span.count == 1 && span.rows[0].kind == REPLY_USER)
		return "User";
	for (size_t i = 0; i < span.count; i++) {
		if (span.rows[i].kind == REPLY_OPEN || span.rows[i].kind == REPLY_USER)
			return NULL;
		access |= span.rows[i].offset == offsetof(struct output, access_token);
		refresh |= span.rows[i].kind == REPLY_TEXT &&
			   span.rows[i].offset == offsetof(struct output, refresh_token);
	}
	return !access ? NULL : refresh ? "Tokens" : "AccessToken";
}

static bool same_row(const struct reply_member *a, const struct reply_member *b)
{
	bool message = a->kind == REPLY_MESSAGE; /* what it says is no part of its shape */
	return a->kind == b->kind && a->offset == b->offset &&
	       text_equal(text_of(a->key), text_of(b->key)) &&
	       (message || text_equal(text_of(a->constant), text_of(b->constant)));
}

/* In any order. */
static bool same_members(struct span a, struct span b)
{
	for (size_t i = 0; i < a.count; i++) {
		size_t k = 0;
		while (k < b.count && !same_row(&a.rows[i], &b.rows[k]))
			k++;
		if (k == b.count)
			return false;
	}
	return a.count == b.count;
}

/* Notes the object as the shape of its name, if none or the same has that name. */
static bool note_shape(struct openapi *openapi, const char *name, struct span span)
{
	for (size_t i = 0; i < openapi->shape_count; i++) {
		const struct openapi_shape *shape = &openapi->shapes[i];
		if (strcmp(shape->name, name) == 0)
			return same_members((struct span){ shape->rows, shape->count }, span);
	}
	if (openapi->shape_count == OPENAPI_SHAPES_MAXIMUM)
		return false;
	openapi->shapes[openapi->shape_count++] =
		(struct openapi_shape){ name, span.rows, span.count };
	return true;
}

static const struct {
	enum reply_kind kind;
	const char *type;
	const char *format;
	bool nullable; /* "null" alone would leave generated clients without the member */
} values[] = {
	{ REPLY_UUID, "string", "uuid", false },
	{ REPLY_INTEGER, "integer", "int64", false },
	{ REPLY_BOOLEAN, "boolean", NULL, false },
	{ REPLY_TIME, "string", "date-time", false },
	{ REPLY_TEXT_OR_NULL, "string", NULL, true },
	{ REPLY_NULL, "string", NULL, true },
};

static void write_value(struct openapi *openapi, const char *key, const struct reply_member *row)
{
	struct json_writer *json = &openapi->json;
	const char *type = "string";
	const char *format = NULL;
	bool nullable = false;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (values[i].kind != row->kind)
			continue;
		type = values[i].type;
		format = values[i].format;
		nullable = values[i].nullable;
	}
	json_open_object(json, key);
	if (nullable) {
		json_open_array(json, "type");
		json_string(json, NULL, type);
		json_string(json, NULL, "null");
		json_close_array(json);
	} else {
		json_string(json, "type", type);
	}
	if (format)
		json_string(json, "format", format);
	if (row->kind == REPLY_CONSTANT)
		json_string(json, "const", row->constant);
	json_close_object(json);
}

static const char *key_of(const struct openapi *openapi, const struct reply_member *row)
{
	return row->kind == REPLY_MESSAGE ? openapi->dialect->message_key : row->key;
}

static void write_object(struct openapi *openapi, const char *key, struct span span);

/* The members themselves, but for those of the user. */
static void write_members(struct openapi *openapi, const char *key, struct span span)
{
	struct json_writer *json = &openapi->json;
	json_open_object(json, key);
	json_string(json, "type", "object");
	json_open_object(json, "properties");
	for (size_t i = 0; i < span.count; i++) {
		const struct reply_member *row = &span.rows[i];
		if (row->kind == REPLY_OPEN) {
			size_t end = closing(span, i + 1);
			write_object(openapi, row->key, (struct span){ row + 1, end - i - 1 });
			i = end;
		} else if (row->kind != REPLY_USER) {
			write_value(openapi, key_of(openapi, row), row);
		}
	}
	json_close_object(json);
	json_open_array(json, "required");
	for (size_t i = 0; i < span.count; i++) {
		const struct reply_member *row = &span.rows[i];
		if (row->kind != REPLY_USER && row->kind != REPLY_TEXT_IF_GIVEN)
			json_string(json, NULL, key_of(openapi, row));
		if (row->kind == REPLY_OPEN)
			i = closing(span, i + 1);
	}
	json_close_array(json);
	json_close_object(json);
}

/* Whether the user's members are among those of the object itself. */
static bool shows_user(struct span span)
{
	for (size_t i = 0; i < span.count; i++) {
		if (span.rows[i].kind == REPLY_USER)
			return true;
		if (span.rows[i].kind == REPLY_OPEN)
			i = closing(span, i + 1);
	}
	return false;
}

static void write_object(struct openapi *openapi, const char *key, struct span span)
{
	const char *name = name_of(span);
	struct span user = list_of(openapi->dialect->user);
	struct span members = shows_user(span) && span.count == 1 ? user : span;
	if (name && note_shape(openapi, name, members)) {
		openapi_write_reference(openapi, key, "schemas", name);
	} else if (shows_user(span) && note_shape(openapi, "User", user)) {
		json_open_object(&openapi->json, key);
		json_open_array(&openapi->json, "allOf");
		openapi_write_reference(openapi, NULL, "schemas", "User");
		write_members(openapi, NULL, span);
		json_close_array(&openapi->json);
		json_close_object(&openapi->json);
	} else {
		write_members(openapi, key, span);
	}
}

/* The rows of an answer with those of the dialect's who-am-I put in. */
static struct span expand(struct openapi *openapi, const struct reply_member *rows)
{
	struct reply_member *flat = arena_alloc(openapi->arena, FLAT_MAXIMUM * sizeof(*flat));
	struct span span = { flat, 0 };
	for (; rows->kind != REPLY_STOP; rows++) {
		struct span part = { rows, 1 };
		if (rows->kind == REPLY_SELF)
			part = list_of(openapi->dialect->self);
		for (size_t i = 0; i < part.count && span.count < FLAT_MAXIMUM; i++)
			flat[span.count++] = part.rows[i];
	}
	return span;
}

static void write_anything(struct openapi *openapi, const char *key)
{
	json_open_object(&openapi->json, key);
	json_string(&openapi->json, "type", "object");
	json_boolean(&openapi->json, "additionalProperties", true);
	json_close_object(&openapi->json);
}

void openapi_write_reply(struct openapi *openapi, const char *key, const struct reply_member *reply)
{
	switch (reply->kind) {
	case REPLY_DOCUMENT:
	case REPLY_OPENAPI:
	case REPLY_DISCOVERY:
		write_anything(openapi, key);
		break;
	default:
		write_object(openapi, key, expand(openapi, reply));
	}
}

void openapi_write_shapes(struct openapi *openapi)
{
	for (size_t i = 0; i < openapi->shape_count; i++) {
		const struct openapi_shape *shape = &openapi->shapes[i];
		write_members(openapi, shape->name, (struct span){ shape->rows, shape->count });
	}
}
