/* SPDX-License-Identifier: MIT */
/*
 * OpenAPI 3.1 from the tables. What a route takes and answers is in its rows; which errors it may
 * give is the sum of what every request may meet, what its flags bring, and what its operation
 * says.
 */
#include "api/openapi.h"

#include <string.h>

#include "api/encode.h"
#include "api/router.h"

#define ERRORS_MAXIMUM 24

/* Any request may meet these. */
static const enum outcome common_errors[] = { OUTCOME_BAD_REQUEST, OUTCOME_MALFORMED_JSON,
	OUTCOME_INVALID_INPUT, OUTCOME_BODY_TOO_LARGE, OUTCOME_UNSUPPORTED_MEDIA_TYPE,
	OUTCOME_INTERNAL_ERROR, OUTCOME_UNAVAILABLE };

/* What an operation says besides. OUTCOME_OK ends a list. */
static const struct {
	operation *operation;
	enum outcome errors[4];
} operation_errors[] = {
	{ operation_change_password, { OUTCOME_INCORRECT_PASSWORD, OUTCOME_TOO_MANY_REQUESTS } },
	{ operation_forgot, { OUTCOME_UNKNOWN_EMAIL, OUTCOME_TOO_MANY_REQUESTS } },
	{ operation_login, { OUTCOME_INVALID_CREDENTIALS, OUTCOME_EMAIL_NOT_VERIFIED,
				   OUTCOME_TOO_MANY_REQUESTS } },
	{ operation_logout, { OUTCOME_INVALID_TOKEN } },
	{ operation_refresh, { OUTCOME_INVALID_TOKEN } },
	{ operation_register,
		{ OUTCOME_EMAIL_TAKEN, OUTCOME_USERNAME_TAKEN, OUTCOME_TOO_MANY_REQUESTS } },
	{ operation_resend, { OUTCOME_TOO_MANY_REQUESTS } },
	{ operation_reset, { OUTCOME_INVALID_ONE_TIME_TOKEN, OUTCOME_TOO_MANY_REQUESTS } },
	{ operation_verify, { OUTCOME_INVALID_ONE_TIME_TOKEN } },
};

struct errors {
	enum outcome list[ERRORS_MAXIMUM];
	size_t count;
};

static void add(struct errors *errors, enum outcome outcome)
{
	if (errors->count < ERRORS_MAXIMUM)
		errors->list[errors->count++] = outcome;
}

static void collect(const struct route *route, struct errors *errors)
{
	errors->count = 0;
	for (size_t i = 0; i < sizeof(common_errors) / sizeof(common_errors[0]); i++)
		add(errors, common_errors[i]);
	if (route->flags & ROUTE_PROTECTED)
		add(errors, OUTCOME_UNAUTHORIZED);
	if (route->flags & ROUTE_READS_COOKIE)
		add(errors, OUTCOME_CROSS_SITE);
	for (size_t i = 0; i < sizeof(operation_errors) / sizeof(operation_errors[0]); i++) {
		const enum outcome *error = operation_errors[i].errors;
		for (; operation_errors[i].operation == route->operation && *error; error++)
			if (*error != OUTCOME_UNKNOWN_EMAIL || route->existence == EXISTENCE_AS_SET)
				add(errors, *error);
	}
}

static void write_content(struct json_writer *json)
{
	json_open_object(json, "content");
	json_open_object(json, "application/json");
}

static void end_content(struct json_writer *json)
{
	json_close_object(json);
	json_close_object(json);
}

/* One entry for each status, whose description names the codes that it may carry. */
static void write_errors(struct json_writer *json, struct arena *arena,
	const struct dialect *dialect, const struct route *route)
{
	struct errors errors;
	collect(route, &errors);
	for (int status = 400; status < 600; status++) {
		const char *codes = NULL;
		for (size_t i = 0; i < errors.count; i++) {
			struct outcome_row said = outcome_wording(dialect, route, errors.list[i]);
			if (said.status == status)
				codes = codes ? arena_format(arena, "%s, %s", codes, said.code)
					      : said.code;
		}
		if (!codes)
			continue;
		json_open_object(json, arena_format(arena, "%d", status));
		json_string(json, "description", codes);
		write_content(json);
		json_open_object(json, "schema");
		json_string(json, "$ref", "#/components/schemas/Error");
		json_close_object(json);
		end_content(json);
		json_close_object(json);
	}
}

static void write_responses(struct json_writer *json, struct arena *arena,
	const struct dialect *dialect, const struct route *route)
{
	json_open_object(json, "responses");
	json_open_object(json, arena_format(arena, "%d", route->status));
	json_string(json, "description", route->summary);
	if (route->reply) {
		write_content(json);
		openapi_reply_schema(json, "schema", arena, dialect, route->reply);
		end_content(json);
	}
	json_close_object(json);
	write_errors(json, arena, dialect, route);
	json_close_object(json);
}

static void write_parameters(struct json_writer *json, const struct route *route)
{
	json_open_array(json, "parameters");
	for (const struct input_member *row = route->input; row && row->key; row++) {
		if (row->source == SOURCE_BODY)
			continue;
		json_open_object(json, NULL);
		json_string(json, "name", row->key);
		json_string(json, "in", row->source == SOURCE_PATH ? "path" : "cookie");
		json_boolean(json, "required", row->source == SOURCE_PATH);
		json_open_object(json, "schema");
		json_string(json, "type", "string");
		json_close_object(json);
		json_close_object(json);
	}
	json_close_array(json);
}

static void write_request(struct json_writer *json, const struct route *route)
{
	bool body = false;
	bool required = false;
	for (const struct input_member *row = route->input; row && row->key; row++) {
		body |= row->source == SOURCE_BODY;
		required |= row->source == SOURCE_BODY && row->required;
	}
	if (!body)
		return;
	json_open_object(json, "requestBody");
	json_boolean(json, "required", required);
	write_content(json);
	openapi_request_schema(json, route);
	end_content(json);
	json_close_object(json);
}

static void write_security(struct json_writer *json, const struct route *route)
{
	json_open_array(json, "security");
	if (route->flags & ROUTE_PROTECTED) {
		json_open_object(json, NULL);
		json_open_array(json, "accessToken");
		json_close_array(json);
		json_close_object(json);
	}
	json_close_array(json);
}

static void write_route(struct json_writer *json, struct arena *arena,
	const struct dialect *dialect, const struct route *route)
{
	json_open_object(json, route->method == METHOD_GET ? "get" : "post");
	json_string(json, "summary", route->summary);
	write_parameters(json, route);
	write_request(json, route);
	write_responses(json, arena, dialect, route);
	write_security(json, route);
	json_close_object(json);
}

/* Whether the dialect has a route of its own where a common one would be. */
static bool is_overridden(const struct dialect *dialect, const struct route *route)
{
	struct match match = route_find(dialect, route->method, text_of(route->path));
	return match.route != route;
}

static void write_paths(
	struct json_writer *json, struct arena *arena, const struct dialect *dialect)
{
	const struct route *lists[] = { dialect->routes, common_routes };
	json_open_object(json, "paths");
	for (size_t i = 0; i < 2; i++) {
		for (const struct route *route = lists[i]; route->path; route++) {
			if (i == 1 && is_overridden(dialect, route))
				continue;
			json_open_object(json, route->path);
			write_route(json, arena, dialect, route);
			json_close_object(json);
		}
	}
	json_close_object(json);
}

static void write_components(struct json_writer *json, const struct dialect *dialect)
{
	json_open_object(json, "components");
	json_open_object(json, "securitySchemes");
	json_open_object(json, "accessToken");
	json_string(json, "type", "http");
	json_string(json, "scheme", "bearer");
	json_string(json, "bearerFormat", "JWT");
	json_close_object(json);
	json_close_object(json);
	json_open_object(json, "schemas");
	openapi_error_schema(json, "Error", dialect);
	json_close_object(json);
	json_close_object(json);
}

bool openapi_document(struct arena *arena, const struct dialect *dialect, struct text *document)
{
	struct json_writer json;
	json_begin(&json, arena);
	json_open_object(&json, NULL);
	json_string(&json, "openapi", "3.1.0");
	json_open_object(&json, "info");
	json_string(&json, "title", arena_format(arena, "latchkey, dialect %s", dialect->name));
	json_string(&json, "version", LATCHKEY_VERSION);
	json_close_object(&json);
	json_open_array(&json, "servers");
	json_open_object(&json, NULL);
	json_string(&json, "url", "."); /* the mount, wherever the document was found */
	json_close_object(&json);
	json_close_array(&json);
	write_paths(&json, arena, dialect);
	write_components(&json, dialect);
	json_close_object(&json);
	return json_end(&json, document);
}
