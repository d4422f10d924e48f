/* SPDX-License-Identifier: MIT */
/*
 * The schemas of what comes in, and of errors. A value that may be spelled in two ways is written as
 * two whole objects, for generators keep the members of each; "one of these two is required" beside
 * the members is lost on them.
 */
#include <string.h>

#include "api/encode.h"
#include "api/openapi_parts.h"

static bool has_body(const struct route *route)
{
	for (const struct input_member *row = route->input; row && row->key; row++)
		if (row->source == SOURCE_BODY)
			return true;
	return false;
}

const char *openapi_request_name(struct openapi *openapi, const struct route *route)
{
	const char *id = openapi_operation_of(route)->id;
	if (!has_body(route) || !id)
		return NULL;
	char *name = arena_format(openapi->arena, "%sRequest", id);
	name[0] = (char)(name[0] - 'a' + 'A');
	return name;
}

/* A member of a request. An optional one may be blank, and counts as not sent then. */
static void write_member(struct openapi *openapi, const char *key, const struct input_member *row)
{
	struct json_writer *json = &openapi->json;
	const struct value_rule *rule = &value_rules[row->kind];
	bool is_new = row->kind == VALUE_NEW_PASSWORD;
	json_open_object(json, key);
	json_string(json, "type", "string");
	if (row->required)
		json_integer(
			json, "minLength", is_new ? openapi->settings->passwords_min_length : 1);
	json_integer(json, "maxLength",
		(int64_t)(rule->characters > 0 ? rule->characters : rule->octets));
	if (rule->format)
		json_string(json, "format", rule->format);
	json_close_object(json);
}

/* One spelling of a request: with the aliases, or without. */
static void write_spelling(
	struct openapi *openapi, const char *key, const struct route *route, bool aliases)
{
	struct json_writer *json = &openapi->json;
	json_open_object(json, key);
	json_string(json, "type", "object");
	json_open_object(json, "properties");
	for (const struct input_member *row = route->input; row->key; row++)
		if (row->source == SOURCE_BODY)
			write_member(openapi, aliases && row->alias ? row->alias : row->key, row);
	json_close_object(json);
	json_open_array(json, "required");
	for (const struct input_member *row = route->input; row->key; row++)
		if (row->source == SOURCE_BODY && row->required)
			json_string(json, NULL, aliases && row->alias ? row->alias : row->key);
	json_close_array(json);
	json_close_object(json);
}

void openapi_write_request(struct openapi *openapi, const char *key, const struct route *route)
{
	bool aliases = false;
	for (const struct input_member *row = route->input; row->key; row++)
		aliases |= row->source == SOURCE_BODY && row->alias;
	if (!aliases) {
		write_spelling(openapi, key, route, false);
		return;
	}
	json_open_object(&openapi->json, key);
	json_open_array(&openapi->json, "anyOf");
	write_spelling(openapi, NULL, route, false);
	write_spelling(openapi, NULL, route, true);
	json_close_array(&openapi->json);
	json_close_object(&openapi->json);
}

static void write_reasons(struct openapi *openapi, const char *key)
{
	json_open_object(&openapi->json, key);
	json_string(&openapi->json, "type", "array");
	openapi_write_type(openapi, "items", "string");
	json_close_object(&openapi->json);
}

/* Codes, each once: several outcomes may share one. */
static void write_codes(struct openapi *openapi)
{
	struct json_writer *json = &openapi->json;
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

/* Every key of a request once, as a member of the error: "any other key" beside the text and the code
 * would give those two the type of the others in generated clients. Returns whether there are keys that
 * stand in "errors" instead. */
static bool write_fields_at_top(struct openapi *openapi)
{
	bool apart = false;
	const char *written[64];
	size_t count = 0;
	for (size_t i = 0; i < openapi->route_count; i++) {
		const struct input_member *row = openapi->routes[i]->input;
		for (; row && row->key; row++) {
			const char *keys[] = { row->key, row->alias };
			for (size_t k = 0; k < 2 && row->source == SOURCE_BODY && keys[k]; k++) {
				size_t at = 0;
				while (at < count && strcmp(written[at], keys[k]) != 0)
					at++;
				if (at < count || count == sizeof(written) / sizeof(written[0]))
					continue;
				written[count++] = keys[k];
				if (error_has_member(openapi->dialect, keys[k]))
					apart = true;
				else
					write_reasons(openapi, keys[k]);
			}
		}
	}
	return apart;
}

void openapi_write_error(struct openapi *openapi, const char *key)
{
	struct json_writer *json = &openapi->json;
	json_open_object(json, key);
	json_string(json, "type", "object");
	json_open_object(json, "properties");
	openapi_write_type(openapi, openapi->dialect->error_key, "string");
	write_codes(openapi);
	if (!openapi->dialect->errors_at_top || write_fields_at_top(openapi)) {
		json_open_object(json, "errors");
		json_string(json, "type", "object");
		write_reasons(openapi, "additionalProperties");
		json_close_object(json);
	}
	json_close_object(json);
	json_open_array(json, "required");
	json_string(json, NULL, openapi->dialect->error_key);
	json_string(json, NULL, "code");
	json_close_array(json);
	json_close_object(json);
}
