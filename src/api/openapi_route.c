/* SPDX-License-Identifier: MIT */
/*
 * One operation of an OpenAPI document. Its errors are the sum of what every request may meet, what
 * the route's flags and body bring, and what its operation says; what the settings in force rule out
 * is left out.
 */
#include "api/encode.h"
#include "api/openapi_parts.h"
#include "api/router.h"

#define ERRORS_MAXIMUM 24

/* Any request may meet these. */
static const enum outcome common_errors[] = { OUTCOME_BAD_REQUEST, OUTCOME_INTERNAL_ERROR,
	OUTCOME_UNAVAILABLE };
/* So may one with a body. */
static const enum outcome body_errors[] = { OUTCOME_MALFORMED_JSON, OUTCOME_INVALID_INPUT,
	OUTCOME_BODY_TOO_LARGE, OUTCOME_UNSUPPORTED_MEDIA_TYPE };

static const struct openapi_operation operations[] = {
	{ NULL, "getOpenapi", "service", { OUTCOME_OK } }, /* the tables alone answer */
	{ operation_algorithms, "getProviderConfiguration", "service", { OUTCOME_OK } },
	{ operation_change_password, "changePassword", "password",
		{ OUTCOME_INCORRECT_PASSWORD, OUTCOME_TOO_MANY_REQUESTS } },
	{ operation_find_self, "getMe", "account", { OUTCOME_OK } },
	{ operation_forgot, "requestPasswordReset", "password",
		{ OUTCOME_UNKNOWN_EMAIL, OUTCOME_TOO_MANY_REQUESTS } },
	{ operation_health, "getHealth", "service", { OUTCOME_OK } },
	{ operation_jwks, "getKeys", "service", { OUTCOME_OK } },
	{ operation_login, "login", "session",
		{ OUTCOME_INVALID_CREDENTIALS, OUTCOME_EMAIL_NOT_VERIFIED,
			OUTCOME_TOO_MANY_REQUESTS } },
	{ operation_logout, "logout", "session", { OUTCOME_INVALID_TOKEN } },
	{ operation_refresh, "refresh", "session", { OUTCOME_INVALID_TOKEN } },
	{ operation_register, "register", "account",
		{ OUTCOME_EMAIL_TAKEN, OUTCOME_USERNAME_TAKEN, OUTCOME_TOO_MANY_REQUESTS } },
	{ operation_resend, "requestVerification", "email", { OUTCOME_TOO_MANY_REQUESTS } },
	{ operation_reset, "resetPassword", "password",
		{ OUTCOME_INVALID_ONE_TIME_TOKEN, OUTCOME_TOO_MANY_REQUESTS } },
	{ operation_verify, "verifyEmail", "email", { OUTCOME_INVALID_ONE_TIME_TOKEN } },
};

const struct openapi_operation *openapi_operation_of(const struct route *route)
{
	static const struct openapi_operation unknown = { .id = NULL };
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (operations[i].operation == route->operation)
			return &operations[i];
	return &unknown;
}

struct errors {
	enum outcome list[ERRORS_MAXIMUM];
	size_t count;
};

static void add(struct errors *errors, enum outcome outcome)
{
	if (errors->count < ERRORS_MAXIMUM)
		errors->list[errors->count++] = outcome;
}

static bool is_possible(
	const struct settings *settings, const struct route *route, enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_UNKNOWN_EMAIL:
	case OUTCOME_EMAIL_TAKEN:
		return route_reveals_existence(route, settings);
	case OUTCOME_EMAIL_NOT_VERIFIED:
		return settings->accounts_require_verified;
	default:
		return true;
	}
}

static void collect(struct openapi *openapi, const struct route *route, struct errors *errors)
{
	const struct openapi_operation *said = openapi_operation_of(route);
	errors->count = 0;
	for (size_t i = 0; i < sizeof(common_errors) / sizeof(common_errors[0]); i++)
		add(errors, common_errors[i]);
	if (openapi_request_name(openapi, route))
		for (size_t i = 0; i < sizeof(body_errors) / sizeof(body_errors[0]); i++)
			add(errors, body_errors[i]);
	if (route->flags & (ROUTE_PROTECTED | ROUTE_EITHER_TOKEN))
		add(errors, OUTCOME_UNAUTHORIZED);
	if (route->flags & ROUTE_READS_COOKIE)
		add(errors, OUTCOME_CROSS_SITE);
	for (size_t i = 0;
		i < sizeof(said->errors) / sizeof(said->errors[0]) && said->errors[i] != OUTCOME_OK;
		i++)
		if (is_possible(openapi->settings, route, said->errors[i]))
			add(errors, said->errors[i]);
}

static void open_content(struct json_writer *json)
{
	json_open_object(json, "content");
	json_open_object(json, "application/json");
}

static void close_content(struct json_writer *json)
{
	json_close_object(json);
	json_close_object(json);
}

static void write_retry_after(struct openapi *openapi)
{
	json_open_object(&openapi->json, "headers");
	openapi_write_reference(openapi, "Retry-After", "headers", "RetryAfter");
	json_close_object(&openapi->json);
}

/* One entry for each status, whose description names the codes that it may carry. */
static void write_errors(struct openapi *openapi, const struct route *route)
{
	struct json_writer *json = &openapi->json;
	struct errors errors;
	collect(openapi, route, &errors);
	for (int status = 400; status < 600; status++) {
		const char *codes = NULL;
		for (size_t i = 0; i < errors.count; i++) {
			struct outcome_row said =
				outcome_row_of(openapi->dialect, route, errors.list[i]);
			if (said.status == status)
				codes = codes ? arena_format(
							openapi->arena, "%s, %s", codes, said.code)
					      : said.code;
		}
		if (!codes)
			continue;
		json_open_object(json, arena_format(openapi->arena, "%d", status));
		json_string(json, "description", codes);
		if (status == 429 || status == 503)
			write_retry_after(openapi);
		open_content(json);
		openapi_write_reference(openapi, "schema", "schemas", "Error");
		close_content(json);
		json_close_object(json);
	}
}

/* A message is always the same, so it is shown whole. */
static void write_example(struct openapi *openapi, const struct reply_member *reply)
{
	if (reply[0].kind != REPLY_MESSAGE || reply[1].kind != REPLY_STOP)
		return;
	json_open_object(&openapi->json, "example");
	json_string(&openapi->json, openapi->dialect->message_key, reply[0].constant);
	json_close_object(&openapi->json);
}

static void write_responses(struct openapi *openapi, const struct route *route)
{
	struct json_writer *json = &openapi->json;
	json_open_object(json, "responses");
	json_open_object(json, arena_format(openapi->arena, "%d", route->status));
	json_string(json, "description", route->summary);
	if (route->reply) {
		open_content(json);
		openapi_write_reply(openapi, "schema", route->reply);
		write_example(openapi, route->reply);
		close_content(json);
	}
	json_close_object(json);
	write_errors(openapi, route);
	json_close_object(json);
}

/* Those of the path; the cookie is a security scheme. */
static void write_parameters(struct openapi *openapi, const struct route *route)
{
	struct json_writer *json = &openapi->json;
	bool opened = false;
	for (const struct input_member *row = route->input; row && row->key; row++) {
		if (row->source != SOURCE_PATH)
			continue;
		if (!opened)
			json_open_array(json, "parameters");
		opened = true;
		json_open_object(json, NULL);
		json_string(json, "name", row->key);
		json_string(json, "in", "path");
		json_boolean(json, "required", true);
		openapi_write_type(openapi, "schema", "string");
		json_close_object(json);
	}
	if (opened)
		json_close_array(json);
}

static void write_request_body(struct openapi *openapi, const struct route *route)
{
	struct json_writer *json = &openapi->json;
	const char *name = openapi_request_name(openapi, route);
	bool required = false;
	if (!name)
		return;
	for (const struct input_member *row = route->input; row->key; row++)
		required |= row->source == SOURCE_BODY && row->required;
	json_open_object(json, "requestBody");
	json_boolean(json, "required", required);
	open_content(json);
	openapi_write_reference(openapi, "schema", "schemas", name);
	close_content(json);
	json_close_object(json);
}

static void write_requirement(struct openapi *openapi, const char *scheme)
{
	json_open_object(&openapi->json, NULL);
	json_open_array(&openapi->json, scheme);
	json_close_array(&openapi->json);
	json_close_object(&openapi->json);
}

/* Any one of the entries is enough; an empty list means that nothing is needed. */
static void write_security(struct openapi *openapi, const struct route *route)
{
	json_open_array(&openapi->json, "security");
	if (route->flags & (ROUTE_PROTECTED | ROUTE_EITHER_TOKEN))
		write_requirement(openapi, "accessToken");
	if (route->flags & ROUTE_READS_COOKIE)
		write_requirement(openapi, "refreshCookie");
	json_close_array(&openapi->json);
}

void openapi_write_route(struct openapi *openapi, const struct route *route)
{
	static const char *const methods[] = { [METHOD_GET] = "get", [METHOD_POST] = "post" };
	const struct openapi_operation *said = openapi_operation_of(route);
	struct json_writer *json = &openapi->json;
	json_open_object(json, methods[route->method]);
	json_string(json, "operationId", said->id);
	json_open_array(json, "tags");
	json_string(json, NULL, said->tag);
	json_close_array(json);
	json_string(json, "summary", route->summary);
	write_parameters(openapi, route);
	write_request_body(openapi, route);
	write_responses(openapi, route);
	write_security(openapi, route);
	json_close_object(json);
}
