/* SPDX-License-Identifier: MIT */
#include "api/encode.h"

#include <string.h>

#include "api/discovery.h"
#include "api/openapi.h"
#include "base/clock.h"
#include "base/json.h"
#include "http/origin.h"

static const void *value_of(const struct output *output, const struct reply_member *row)
{
	return (const char *)output + row->offset;
}

static void write_time(struct json_writer *json, const char *key, int64_t seconds)
{
	char text[RFC3339_SIZE];
	clock_rfc3339(seconds, text);
	json_string(json, key, text);
}

static void write_members(struct json_writer *json, const struct dialect *dialect,
	const struct reply_member *rows, const struct output *output);

static void write_text(struct json_writer *json, const struct reply_member *row, struct text text)
{
	if (text_is_given(text) || row->kind == REPLY_TEXT)
		json_text(json, row->key, text_is_given(text) ? text : TEXT(""));
	else if (row->kind == REPLY_TEXT_OR_NULL)
		json_null(json, row->key);
}

static void write_member(struct json_writer *json, const struct dialect *dialect,
	const struct reply_member *row, const struct output *output)
{
	const void *value = value_of(output, row);
	char uuid[UUID_TEXT_SIZE];
	switch (row->kind) {
	case REPLY_OPEN:
		json_open_object(json, row->key);
		break;
	case REPLY_CLOSE:
		json_close_object(json);
		break;
	case REPLY_TEXT:
	case REPLY_TEXT_OR_NULL:
	case REPLY_TEXT_IF_GIVEN:
		write_text(json, row, *(const struct text *)value);
		break;
	case REPLY_UUID:
		uuid_print(*(const struct uuid *)value, uuid);
		json_string(json, row->key, uuid);
		break;
	case REPLY_INTEGER:
		json_integer(json, row->key, *(const int64_t *)value);
		break;
	case REPLY_BOOLEAN:
		json_boolean(json, row->key, *(const bool *)value);
		break;
	case REPLY_TIME:
		write_time(json, row->key, *(const int64_t *)value);
		break;
	case REPLY_NULL:
		json_null(json, row->key);
		break;
	case REPLY_CONSTANT:
		json_string(json, row->key, row->constant);
		break;
	case REPLY_MESSAGE:
		json_string(json, dialect->message_key, row->constant);
		break;
	case REPLY_USER:
		write_members(json, dialect, dialect->user, output);
		break;
	case REPLY_SELF:
		write_members(json, dialect, dialect->self, output);
		break;
	case REPLY_OPENAPI:
	case REPLY_DISCOVERY:
	case REPLY_DOCUMENT:
	case REPLY_STOP:
		break;
	}
}

static void write_members(struct json_writer *json, const struct dialect *dialect,
	const struct reply_member *rows, const struct output *output)
{
	for (const struct reply_member *row = rows; row->kind != REPLY_STOP; row++)
		write_member(json, dialect, row, output);
}

bool encode_reply(const struct settings *settings, const struct dialect *dialect,
	const struct route *route, const struct output *output, struct response *response)
{
	response->status = route->status;
	if (!route->reply)
		return true;
	if (route->reply->kind == REPLY_DOCUMENT) {
		response->body = output->json;
		return true;
	}
	if (route->reply->kind == REPLY_OPENAPI)
		return openapi_document(response->arena, settings, dialect, &response->body);
	if (route->reply->kind == REPLY_DISCOVERY)
		return discovery_document(
			response->arena, settings, dialect, output->algorithms, &response->body);
	struct json_writer json;
	json_begin(&json, response->arena);
	json_open_object(&json, NULL);
	write_members(&json, dialect, route->reply, output);
	json_close_object(&json);
	return json_end(&json, &response->body);
}

struct outcome_row outcome_row_of(
	const struct dialect *dialect, const struct route *route, enum outcome outcome)
{
	struct outcome_row said = outcome_rows[outcome];
	const struct override *lists[] = { dialect->overrides, route ? route->overrides : NULL };
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		for (const struct override *row = lists[i]; row && row->outcome; row++) {
			if (row->outcome != outcome)
				continue;
			said.status = row->status ? row->status : said.status;
			said.text = row->text ? row->text : said.text;
		}
	}
	return said;
}

bool error_has_member(const struct dialect *dialect, const char *key)
{
	return strcmp(key, "code") == 0 || strcmp(key, "errors") == 0 ||
	       strcmp(key, dialect->error_key) == 0;
}

static void write_field(struct json_writer *json, const char *key, const char *reason)
{
	json_open_array(json, key);
	json_string(json, NULL, reason);
	json_close_array(json);
}

/* The invalid fields: beside the text where the dialect has them there and the name is free, the
 * others in an object of their own. */
static void write_fields(struct json_writer *json, const struct dialect *dialect,
	const struct invalid_members *invalid)
{
	bool apart[INVALID_MEMBERS_MAXIMUM];
	bool any = !dialect->errors_at_top;
	for (size_t i = 0; i < invalid->count; i++) {
		const char *key = invalid->members[i].key;
		apart[i] = !dialect->errors_at_top || error_has_member(dialect, key);
		any |= apart[i];
		if (!apart[i])
			write_field(json, key, invalid->members[i].reason);
	}
	if (!any)
		return;
	json_open_object(json, "errors");
	for (size_t i = 0; i < invalid->count; i++)
		if (apart[i])
			write_field(json, invalid->members[i].key, invalid->members[i].reason);
	json_close_object(json);
}

/* RFC 6750 section 3.1: what was sent and is no good is named, what was not sent is not. */
static void challenge(
	const struct request *request, enum outcome outcome, struct response *response)
{
	if (outcome == OUTCOME_UNAUTHORIZED && request->tries_bearer)
		response_header(response, "WWW-Authenticate", "Bearer error=\"invalid_token\"");
	else
		response_header(response, "WWW-Authenticate", "Bearer");
}

void encode_error(const struct dialect *dialect, const struct route *route, enum outcome outcome,
	const struct output *output, const struct invalid_members *invalid,
	const struct request *request, struct response *response)
{
	struct outcome_row said = outcome_row_of(dialect, route, outcome);
	response->status = said.status;
	if (said.status == 401)
		challenge(request, outcome, response);
	if (outcome == OUTCOME_TOO_MANY_REQUESTS || outcome == OUTCOME_UNAVAILABLE)
		response_header(response, "Retry-After", "%lld",
			(long long)(output->retry_after > 0 ? output->retry_after : 1));

	struct json_writer json;
	json_begin(&json, response->arena);
	json_open_object(&json, NULL);
	bool reworded = said.text != outcome_rows[outcome].text;
	json_string(&json, dialect->error_key,
		invalid->malformed && !reworded ? invalid->malformed : said.text);
	json_string(&json, "code", said.code);
	if (outcome == OUTCOME_INVALID_INPUT || dialect->errors_at_top)
		write_fields(&json, dialect, invalid);
	json_close_object(&json);
	if (!json_end(&json, &response->body))
		response->body = TEXT("{}");
}

void encode_cookie(const struct settings *settings, const struct dialect *dialect,
	const struct request *request, struct text token, int64_t lifetime,
	struct response *response)
{
	bool plain = text_starts_with(text_of(settings->api_base_url), TEXT("http://"));
	bool secure = !plain || request->secure || !host_is_loopback(request->host);
	struct text path = request->mount.length > 0 ? request->mount : TEXT("/");
	response_header(response, "Set-Cookie",
		"%s=%.*s; Max-Age=%lld; Path=%.*s; HttpOnly; SameSite=Strict%s",
		dialect->refresh_cookie, TEXT_PRINTF(token),
		(long long)(text_is_given(token) ? lifetime : 0), TEXT_PRINTF(path),
		secure ? "; Secure" : "");
}
