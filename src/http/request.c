/* SPDX-License-Identifier: MIT */
#include "http/request.h"

#include <string.h>

#include "http/client.h"

#define BEARER_MAXIMUM 4096

/* A request being read. */
struct reading {
	struct arena *arena;
	parameter_source *parameter;
	void *context;
	bool refused;
};

/* A parameter, copied; TEXT_NONE where it is not there or empty. */
static struct text get(struct reading *reading, const char *name)
{
	struct text value = text_of(reading->parameter(reading->context, name));
	if (value.length == 0)
		return TEXT_NONE;
	if (value.length > REQUEST_VALUE_MAXIMUM) {
		reading->refused = true;
		return TEXT_NONE;
	}
	return (struct text){ arena_copy(reading->arena, value.at, value.length), value.length };
}

enum method method_of(struct text name)
{
	static const struct {
		const char *name;
		enum method method;
	} rows[] = {
		{ "GET", METHOD_GET },
		{ "HEAD", METHOD_HEAD },
		{ "POST", METHOD_POST },
		{ "OPTIONS", METHOD_OPTIONS },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (text_equal(name, text_of(rows[i].name)))
			return rows[i].method;
	return METHOD_OTHER;
}

/* RFC 6750 section 2.1. Two headers arrive joined with a comma: neither is believed. */
static struct text bearer_of(struct text authorization)
{
	struct text scheme = { authorization.at, text_find(authorization, ' ') };
	struct text token = text_trim(text_after(authorization, scheme.length));
	if (!text_equal_fold(scheme, TEXT("Bearer")) || token.length == 0 ||
		token.length > BEARER_MAXIMUM)
		return TEXT_NONE;
	for (size_t i = 0; i < token.length; i++) {
		char c = token.at[i];
		bool alphanumeric =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!alphanumeric && (c == '\0' || !strchr("-._~+/=", c)))
			return TEXT_NONE;
	}
	return token;
}

static void read_client(struct reading *reading, struct request *request, const char *trusted)
{
	struct text remote = get(reading, "REMOTE_ADDR");
	struct text https = get(reading, "HTTPS");
	struct text forwarded = get(reading, "HTTP_X_FORWARDED_PROTO");
	client_of(reading->arena, remote, get(reading, "HTTP_X_FORWARDED_FOR"), trusted,
		&request->client, &request->network);
	request->secure =
		text_equal_fold(https, TEXT("on")) || text_equal(https, TEXT("1")) ||
		text_equal_fold(get(reading, "REQUEST_SCHEME"), TEXT("https")) ||
		(text_equal_fold(forwarded, TEXT("https")) && client_is_trusted(remote, trusted));
}

bool request_read(struct request *request, struct arena *arena, parameter_source *parameter,
	void *context, const char *trusted_proxies)
{
	struct reading reading = { arena, parameter, context, false };
	struct text authorization = get(&reading, "HTTP_AUTHORIZATION");
	*request = (struct request){
		.method = method_of(get(&reading, "REQUEST_METHOD")),
		.path = get(&reading, "PATH_INFO"),
		.mount = get(&reading, "SCRIPT_NAME"),
		.dialect = get(&reading, "LATCHKEY_DIALECT"),
		.content_type = get(&reading, "CONTENT_TYPE"),
		.authorization = text_is_given(authorization),
		.bearer = bearer_of(authorization),
		.cookies = get(&reading, "HTTP_COOKIE"),
		.origin = get(&reading, "HTTP_ORIGIN"),
		.fetch_site = get(&reading, "HTTP_SEC_FETCH_SITE"),
		.host = get(&reading, "HTTP_HOST"),
		.requested_method = get(&reading, "HTTP_ACCESS_CONTROL_REQUEST_METHOD"),
	};
	read_client(&reading, request, trusted_proxies);
	return !reading.refused && !text_has_control(request->path) &&
	       utf8_is_valid(request->path) && !text_has_control(request->mount);
}

struct text request_cookie(const struct request *request, const char *name)
{
	struct text rest = request->cookies;
	struct text pair;
	while (text_next(&rest, ';', &pair)) {
		pair = text_trim(pair);
		size_t equals = text_find(pair, '=');
		struct text value = text_after(pair, equals + 1);
		if (!text_equal((struct text){ pair.at, equals }, text_of(name)))
			continue;
		/* servers that join two Cookie headers do it with a comma; tokens have none */
		value.length = text_find(value, ',');
		return value.length > 0 ? text_trim(value) : TEXT_NONE;
	}
	return TEXT_NONE;
}

bool request_is_json(const struct request *request)
{
	struct text type = request->content_type;
	type.length = text_find(type, ';');
	return text_equal_fold(text_trim(type), TEXT("application/json"));
}
