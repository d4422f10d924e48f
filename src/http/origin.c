/* SPDX-License-Identifier: MIT */
/* Which pages may call: those of the same origin, of the settings, and none else. */
#include "http/origin.h"

#include <string.h>

#define REQUESTED_HEADERS_MAXIMUM 1024

/* An origin taken apart (RFC 6454 section 4): the port is that of the scheme where none is
 * said. */
struct origin {
	struct text scheme;
	struct text host;
	long long port;
};

/* host[:port], where the host may be an IPv6 address in brackets. */
static bool split_host(struct text text, struct text *host, long long *port)
{
	size_t colon = text_find_last(text, ':');
	size_t bracket = text_find_last(text, ']');
	bool with_port = colon < text.length && (bracket == text.length || colon > bracket);
	*host = (struct text){ text.at, with_port ? colon : text.length };
	if (with_port &&
		(!text_integer(text_after(text, colon + 1), port) || *port < 1 || *port > 65535))
		return false;
	static const char elsewhere[] = "/?#@"; /* they belong to other parts of a URL */
	for (const char *c = elsewhere; *c; c++)
		if (text_find(*host, *c) < host->length)
			return false;
	return host->length > 0;
}

static bool parse(struct text text, struct origin *origin)
{
	const char *mark = text.length > 3 ? memmem(text.at, text.length, "://", 3) : NULL;
	if (!mark)
		return false;
	origin->scheme = (struct text){ text.at, (size_t)(mark - text.at) };
	if (text_equal_fold(origin->scheme, TEXT("https")))
		origin->port = 443;
	else if (text_equal_fold(origin->scheme, TEXT("http")))
		origin->port = 80;
	else
		return false;
	return split_host(
		text_after(text, origin->scheme.length + 3), &origin->host, &origin->port);
}

static bool same(const struct origin *a, const struct origin *b)
{
	return text_equal_fold(a->scheme, b->scheme) && text_equal_fold(a->host, b->host) &&
	       a->port == b->port;
}

/* The origin of a URL: without its path. */
static bool parse_url(struct text url, struct origin *origin)
{
	const char *mark = url.length > 3 ? memmem(url.at, url.length, "://", 3) : NULL;
	if (!mark)
		return false;
	size_t from = (size_t)(mark - url.at) + 3;
	url.length = from + text_find(text_after(url, from), '/');
	return parse(url, origin);
}

bool origin_is_allowed(const struct settings *settings, const struct request *request)
{
	struct origin sent;
	struct origin listed;
	struct text rest = text_of(settings->http_origins);
	struct text entry;
	if (!parse(request->origin, &sent))
		return false;
	while (text_next(&rest, ' ', &entry))
		if (parse(entry, &listed) && same(&sent, &listed))
			return true;
	return false;
}

/* Where the request was sent to. A Host without a port means that of the scheme: any other port is
 * another origin, and so is the other scheme. */
static bool own_origin(const struct request *request, struct origin *origin)
{
	long long port = request->secure ? 443 : 80;
	origin->scheme = request->secure ? TEXT("https") : TEXT("http");
	if (!split_host(request->host, &origin->host, &port))
		return false;
	origin->port = port;
	return true;
}

bool origin_is_cross_site(const struct settings *settings, const struct request *request)
{
	struct origin sent;
	struct origin own;
	if (origin_is_allowed(settings, request))
		return false;
	if (text_is_given(request->fetch_site))
		return !text_equal(request->fetch_site, TEXT("same-origin")) &&
		       !text_equal(request->fetch_site, TEXT("none"));
	if (!text_is_given(request->origin))
		return false;
	if (!parse(request->origin, &sent))
		return true; /* "null": a sandboxed page, a file */
	return !(own_origin(request, &own) && same(&sent, &own)) &&
	       !(parse_url(text_of(settings->api_base_url), &own) && same(&sent, &own));
}

bool host_is_loopback(struct text host)
{
	struct text name;
	long long port = 0;
	if (!split_host(host, &name, &port))
		return false;
	struct text tail = name.length > 10 ? text_after(name, name.length - 10) : TEXT("");
	return text_equal_fold(name, TEXT("localhost")) ||
	       text_equal_fold(tail, TEXT(".localhost")) || text_equal(name, TEXT("[::1]")) ||
	       (text_starts_with(name, TEXT("127.")) &&
		       strspn(name.at, "0123456789.") >= name.length);
}

/* Names, separated by commas (RFC 9110 section 5.6.2), and few of them. */
static bool are_names(struct text list)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	struct text name;
	if (list.length == 0 || list.length > REQUESTED_HEADERS_MAXIMUM || text_has_control(list))
		return false; /* a tab between names too: it cannot be echoed */
	while (text_next(&list, ',', &name)) {
		name = text_trim(name);
		if (name.length == 0)
			return false;
		for (size_t i = 0; i < name.length; i++)
			if (!memchr(token, name.at[i], sizeof(token) - 1))
				return false;
	}
	return true;
}

void origin_headers(const struct settings *settings, const struct request *request,
	const char *methods, struct response *response)
{
	if (settings->http_origins[0] == '\0')
		return;
	response_header(response, "Vary", "%s",
		methods ? "Origin, Access-Control-Request-Headers" : "Origin");
	if (!origin_is_allowed(settings, request))
		return;
	response_header(
		response, "Access-Control-Allow-Origin", "%.*s", TEXT_PRINTF(request->origin));
	response_header(response, "Access-Control-Allow-Credentials", "true");
	if (!methods) {
		response_header(
			response, "Access-Control-Expose-Headers", "Retry-After, WWW-Authenticate");
		return;
	}
	response_header(response, "Access-Control-Allow-Methods", "%s", methods);
	struct text names = are_names(request->requested_headers)
				    ? request->requested_headers
				    : TEXT("Authorization, Content-Type");
	response_header(response, "Access-Control-Allow-Headers", "%.*s", TEXT_PRINTF(names));
	response_header(response, "Access-Control-Max-Age", "600");
}

const char *origin_check(const struct settings *settings, struct arena *arena)
{
	struct text rest = text_of(settings->http_origins);
	struct text entry;
	struct origin origin;
	while (text_next(&rest, ' ', &entry))
		if (entry.length > 0 && !parse(entry, &origin))
			return arena_format(arena,
				"http.origins: %.*s is no origin such as https://www.example.com",
				TEXT_PRINTF(entry));
	return NULL;
}
