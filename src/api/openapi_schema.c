/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "api/openapi.h"

#define FLAT_MAXIMUM 64

static void write_type(struct json_writer *json, const char *key, const char *type)
{
	json_open_object(json, key);
	json_string(json, "type", type);
	json_close_object(json);
}

/* A member of a request. An optional one may be blank, and counts as not sent then. */
static void write_input(struct json_writer *json, const char *key, const struct input_member *row)
{
	const struct value_rule *rule = &value_rules[row->kind];
	json_open_object(json, key);
	json_string(json, "type", "string");
	if (row->required)
		json_integer(json, "minLength", row->kind == VALUE_NEW_PASSWORD ? 8 : 1);
	json_integer(json, "maxLength",
		(int64_t)(rule->characters > 0 ? rule->characters : rule->octets));
	if (rule->format)
		json_string(json, "format", rule->format);
	json_close_object(json);
}

static void write_required(struct json_writer *json, const struct route *route)
{
	json_open_array(json, "required");
	for (const struct input_member *row = route->input; row->key; row++)
		if (row->source == SOURCE_BODY && row->required && !row->alias)
			json_string(json, NULL, row->key);
	json_close_array(json);
}

/* One of two spellings must be there. */
static void write_alternatives(struct json_writer *json, const struct input_member *row)
{
	const char *keys[] = { row->key, row->alias };
	json_open_array(json, "anyOf");
	for (size_t i = 0; i < 2; i++) {
		json_open_object(json, NULL);
		json_open_array(json, "required");
		json_string(json, NULL, keys[i]);
		json_close_array(json);
		json_close_object(json);
	}
	json_close_array(json);
}

void openapi_request_schema(struct json_writer *json, const struct route *route)
{
	json_open_object(json, "schema");
	json_string(json, "type", "object");
	json_open_object(json, "properties");
	for (const struct input_member *row = route->input; row->key; row++) {
		if (row->source != SOURCE_BODY)
			continue;
		write_input(json, row->key, row);
		if (row->alias)
			write_input(json, row->alias, row);
	}
	json_close_object(json);
	write_required(json, route);
	for (const struct input_member *row = route->input; row->key; row++)
		if (row->source == SOURCE_BODY && row->alias)
			write_alternatives(json, row);
	json_close_object(json);
}

/* The rows of a reply with those that stand for others put in. */
static size_t flatten(const struct dialect *dialect, const struct reply_member *rows,
	struct reply_member *flat, size_t count)
{
	for (; rows->kind != REPLY_STOP && count < FLAT_MAXIMUM; rows++) {
		if (rows->kind == REPLY_USER)
			count = flatten(dialect, dialect->user, flat, count);
		else if (rows->kind == REPLY_SELF)
			count = flatten(dialect, dialect->self, flat, count);
		else
			flat[count++] = *rows;
	}
	return count;
}

static void write_reply_value(
	struct json_writer *json, const struct dialect *dialect, const struct reply_member *row)
{
	const char *key = row->kind == REPLY_MESSAGE ? dialect->message_key : row->key;
	const char *type = "string";
	const char *format = NULL;
	switch (row->kind) {
	case REPLY_UUID:
		format = "uuid";
		break;
	case REPLY_TIME:
		format = "date-time";
		break;
	case REPLY_INTEGER:
		type = "integer";
		break;
	case REPLY_BOOLEAN:
		type = "boolean";
		break;
	case REPLY_NULL:
		type = "null";
		break;
	default:
		break;
	}
	json_open_object(json, key);
	if (row->kind == REPLY_TEXT_OR_NULL) {
		json_open_array(json, "type");
		json_string(json, NULL, "string");
		json_string(json, NULL, "null");
		json_close_array(json);
	} else {
		json_string(json, "type", type);
	}
	if (format)
		json_string(json, "format", format);
	if (row->constant)
		json_string(json, "const", row->constant);
	json_close_object(json);
}

static size_t write_object(struct json_writer *json, const char *key, const struct dialect *dialect,
	const struct reply_member *rows, size_t from, size_t count);

/* The members of one object as properties; returns the row that closes it. */
static size_t write_properties(struct json_writer *json, const struct dialect *dialect,
	const struct reply_member *rows, size_t from, size_t count)
{
	json_open_object(json, "properties");
	while (from < count && rows[from].kind != REPLY_CLOSE) {
		if (rows[from].kind == REPLY_OPEN)
			from = write_object(json, rows[from].key, dialect, rows, from + 1, count);
		else
			write_reply_value(json, dialect, &rows[from]);
		from++;
	}
	json_close_object(json);
	return from;
}

static size_t write_object(struct json_writer *json, const char *key, const struct dialect *dialect,
	const struct reply_member *rows, size_t from, size_t count)
{
	json_open_object(json, key);
	json_string(json, "type", "object");
	size_t end = write_properties(json, dialect, rows, from, count);
	size_t depth = 0;
	json_open_array(json, "required");
	for (size_t i = from; i < end; i++) {
		if (rows[i].kind == REPLY_CLOSE)
			depth--;
		else if (depth == 0 && rows[i].kind != REPLY_TEXT_IF_GIVEN)
			json_string(json, NULL,
				rows[i].kind == REPLY_MESSAGE ? dialect->message_key : rows[i].key);
		depth += rows[i].kind == REPLY_OPEN;
	}
	json_close_array(json);
	json_close_object(json);
	return end;
}

void openapi_reply_schema(struct json_writer *json, const char *key, struct arena *arena,
	const struct dialect *dialect, const struct reply_member *reply)
{
	if (reply->kind == REPLY_DOCUMENT || reply->kind == REPLY_OPENAPI ||
		reply->kind == REPLY_DISCOVERY) {
		write_type(json, key, "object");
		return;
	}
	struct reply_member *flat = arena_alloc(arena, FLAT_MAXIMUM * sizeof(*flat));
	size_t count = flatten(dialect, reply, flat, 0);
	write_object(json, key, dialect, flat, 0, count);
}

static void write_field_errors(struct json_writer *json, const char *key)
{
	json_open_object(json, key);
	json_string(json, "type", "array");
	write_type(json, "items", "string");
	json_close_object(json);
}

/* Codes, each once: several outcomes may share one. */
static void write_codes(struct json_writer *json)
{
	json_open_object(json, "code");
	json_string(json, "type", "string");
	json_open_array(json, "enum");
	for (size_t i = OUTCOME_OK + 1; i < OUTCOME_COUNT; i++) {
		size_t first = OUTCOME_OK + 1;
		while (strcmp(outcome_rows[first].code, outcome_rows[i].code) != 0)
			first++;
		if (first == i)
			json_string(json, NULL, outcome_rows[i].code);
	}
	json_close_array(json);
	json_close_object(json);
}

void openapi_error_schema(struct json_writer *json, const char *key, const struct dialect *dialect)
{
	json_open_object(json, key);
	json_string(json, "type", "object");
	json_open_object(json, "properties");
	write_type(json, dialect->error_key, "string");
	write_codes(json);
	if (!dialect->errors_at_top) {
		json_open_object(json, "errors");
		json_string(json, "type", "object");
		write_field_errors(json, "additionalProperties");
		json_close_object(json);
	}
	json_close_object(json);
	if (dialect->errors_at_top)
		write_field_errors(json, "additionalProperties");
	json_open_array(json, "required");
	json_string(json, NULL, dialect->error_key);
	json_string(json, NULL, "code");
	json_close_array(json);
	json_close_object(json);
}
