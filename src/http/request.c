/* SPDX-License-Identifier: MIT */
/* From FastCGI parameters to a request: each is looked at once, and what can be understood in two
 * ways is refused here, before anybody acts on it. */
#include "http/request.h"

#include <string.h>

#include "http/client.h"

#define BEARER_MAXIMUM 4096

enum parameter {
	AUTHORIZATION,
	CONTENT_LENGTH,
	CONTENT_TYPE,
	COOKIE,
	DIALECT,
	FETCH_SITE,
	FORWARDED_FOR,
	FORWARDED_PROTO,
	HOST,
	HTTPS,
	ORIGIN,
	PATH_INFO,
	REMOTE_ADDR,
	REQUESTED_HEADERS,
	REQUEST_METHOD,
	REQUEST_SCHEME,
	SCRIPT_NAME,
	PARAMETER_COUNT
};

/* What is read of a request. Web servers pass each line of a header as a parameter of its own, or
 * join them. The lines of a list are one value (RFC 9110 section 5.3); of anything else there must be
 * one, for whoever takes the first and whoever takes the last would see two different requests. */
#define ONE(name)                                                                                  \
	{                                                                                          \
		{ name, sizeof(name) - 1 }, false                                                  \
	}
#define LIST(name)                                                                                 \
	{                                                                                          \
		{ name, sizeof(name) - 1 }, true                                                   \
	}
static const struct {
	struct text name;
	bool is_list;
} parameters[PARAMETER_COUNT] = {
	[AUTHORIZATION] = ONE("HTTP_AUTHORIZATION"),
	[CONTENT_LENGTH] = ONE("CONTENT_LENGTH"),
	[CONTENT_TYPE] = ONE("CONTENT_TYPE"),
	[COOKIE] = ONE("HTTP_COOKIE"), /* RFC 6265 section 5.4; of HTTP/2 servers join them */
	[DIALECT] = ONE("LATCHKEY_DIALECT"),
	[FETCH_SITE] = ONE("HTTP_SEC_FETCH_SITE"),
	[FORWARDED_FOR] = LIST("HTTP_X_FORWARDED_FOR"),
	[FORWARDED_PROTO] = LIST("HTTP_X_FORWARDED_PROTO"),
	[HOST] = ONE("HTTP_HOST"),
	[HTTPS] = ONE("HTTPS"),
	[ORIGIN] = ONE("HTTP_ORIGIN"),
	[PATH_INFO] = ONE("PATH_INFO"),
	[REMOTE_ADDR] = ONE("REMOTE_ADDR"),
	[REQUESTED_HEADERS] = LIST("HTTP_ACCESS_CONTROL_REQUEST_HEADERS"),
	[REQUEST_METHOD] = ONE("REQUEST_METHOD"),
	[REQUEST_SCHEME] = ONE("REQUEST_SCHEME"),
	[SCRIPT_NAME] = ONE("SCRIPT_NAME"),
};

/* A request being read. */
struct reading {
	struct arena *arena;
	struct text values[PARAMETER_COUNT];
	char *joined
		[PARAMETER_COUNT]; /* room for REQUEST_VALUE_MAXIMUM octets, once it is needed */
	const char *unreadable; /* the first reason */
};

static void refuse(struct reading *reading, const char *reason)
{
	if (!reading->unreadable)
		reading->unreadable = reason;
}

static void refuse_parameter(struct reading *reading, enum parameter parameter, const char *reason)
{
	refuse(reading,
		arena_format(reading->arena, "%s %s", parameters[parameter].name.at, reason));
}

/* One more line of a list. */
static void join(struct reading *reading, enum parameter parameter, struct text line)
{
	struct text *value = &reading->values[parameter];
	char **room = &reading->joined[parameter];
	if (value->length + 2 + line.length > REQUEST_VALUE_MAXIMUM) {
		refuse_parameter(reading, parameter, "is too long");
		return;
	}
	if (!*room) {
		*room = arena_alloc(reading->arena, REQUEST_VALUE_MAXIMUM);
		memcpy(*room, value->at, value->length);
		value->at = *room;
	}
	memcpy(*room + value->length, ", ", 2);
	memcpy(*room + value->length + 2, line.at, line.length);
	value->length += 2 + line.length;
}

static void take(struct reading *reading, enum parameter parameter, struct text value)
{
	struct text *taken = &reading->values[parameter];
	if (value.length > REQUEST_VALUE_MAXIMUM)
		refuse_parameter(reading, parameter, "is too long");
	else if (!text_is_given(*taken))
		*taken = (struct text){ arena_copy(reading->arena, value.at, value.length),
			value.length };
	else if (parameters[parameter].is_list)
		join(reading, parameter, value);
	else
		refuse_parameter(reading, parameter, "was sent more than once");
}

/* "NAME=value". What is empty is not there: that is how servers send it. */
static void take_entry(struct reading *reading, const char *entry)
{
	struct text whole = text_of(entry);
	struct text name = { entry, text_find(whole, '=') };
	struct text value = text_after(whole, name.length + 1);
	if (value.length == 0)
		return;
	for (size_t i = 0; i < PARAMETER_COUNT; i++)
		if (text_equal(name, parameters[i].name)) {
			take(reading, i, value);
			return;
		}
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

static bool is_token68(struct text text)
{
	for (size_t i = 0; i < text.length; i++) {
		char c = text.at[i];
		bool alphanumeric =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!alphanumeric && (c == '\0' || !strchr("-._~+/=", c)))
			return false;
	}
	return text.length > 0;
}

/* RFC 6750 section 2.1. Whoever leaves out the word before the token means one all the same, but a
 * well-formed value of another scheme is no try to use one (section 3.1). */
static void read_bearer(struct reading *reading, struct request *request)
{
	struct text value = reading->values[AUTHORIZATION];
	struct text scheme = { value.at, text_find(value, ' ') };
	struct text token = text_trim(text_after(value, scheme.length));
	bool bearer = text_equal_fold(scheme, TEXT("Bearer"));
	/* neither takes a comma: Apache joins two headers with one */
	if ((bearer || text_equal_fold(scheme, TEXT("Basic"))) &&
		text_find(token, ',') < token.length)
		refuse(reading, "There are two Authorization headers");
	request->tries_bearer = bearer || (value.length > 0 && token.length == 0);
	if (bearer && token.length <= BEARER_MAXIMUM && is_token68(token))
		request->bearer = token;
}

/* The last of a list is what the nearest proxy says. */
static struct text last_of(struct text list)
{
	size_t comma = text_find_last(list, ',');
	return text_trim(comma < list.length ? text_after(list, comma + 1) : list);
}

static void read_client(struct reading *reading, struct request *request, const char *trusted)
{
	const struct text *values = reading->values;
	client_of(reading->arena, values[REMOTE_ADDR], values[FORWARDED_FOR], trusted,
		&request->client, &request->network, &request->wider_network);
	request->secure = text_equal_fold(values[HTTPS], TEXT("on")) ||
			  text_equal(values[HTTPS], TEXT("1")) ||
			  text_equal_fold(values[REQUEST_SCHEME], TEXT("https")) ||
			  (text_equal_fold(last_of(values[FORWARDED_PROTO]), TEXT("https")) &&
				  client_is_trusted(values[REMOTE_ADDR], trusted));
}

/* Of a body in chunks Apache says no length, and Caddy -1. */
static long long read_length(struct reading *reading)
{
	struct text value = reading->values[CONTENT_LENGTH];
	long long length = -1;
	if (text_is_given(value) && (!text_integer(value, &length) || length < -1))
		refuse(reading, "CONTENT_LENGTH is no length");
	return length;
}

void request_read(struct request *request, struct arena *arena, char *const *environment,
	const char *trusted_proxies)
{
	struct reading reading = { .arena = arena };
	const struct text *values = reading.values;
	for (; *environment; environment++)
		take_entry(&reading, *environment);
	*request = (struct request){
		.method = method_of(values[REQUEST_METHOD]),
		.path = values[PATH_INFO],
		.mount = values[SCRIPT_NAME],
		.dialect = values[DIALECT],
		.content_type = values[CONTENT_TYPE],
		.announced_length = read_length(&reading),
		.cookies = values[COOKIE],
		.origin = values[ORIGIN],
		.fetch_site = values[FETCH_SITE],
		.host = values[HOST],
		.requested_headers = values[REQUESTED_HEADERS],
	};
	read_bearer(&reading, request);
	read_client(&reading, request, trusted_proxies);
	if (text_has_control(request->path) || !utf8_is_valid(request->path) ||
		text_has_control(request->mount))
		refuse(&reading, "The path holds control characters, or is not UTF-8");
	request->unreadable = reading.unreadable;
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
