/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_HTTP_REQUEST_H
#define LATCHKEY_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/text.h"

#define REQUEST_VALUE_MAXIMUM 8192 /* octets of a parameter; who sends a longer one is refused */

enum method {
	METHOD_GET,
	METHOD_HEAD,
	METHOD_POST,
	METHOD_OPTIONS,
	METHOD_OTHER, /* known to HTTP or not, it is served nowhere */
};

/* The method of that name (RFC 9110 section 9.1: case matters). */
enum method method_of(struct text name);

enum body_state {
	BODY_NONE, /* no octet came */
	BODY_COMPLETE,
	BODY_TOO_LARGE, /* more than http.max_body; what came is not kept */
	BODY_TRUNCATED, /* fewer octets than announced, or the peer was lost: no side effects */
};

/* A request as the web server hands it over, in the request's arena. TEXT_NONE: not sent. */
struct request {
	/* NULL, or why it must not be served, for people. It is to be answered 400, in its dialect as
	 * far as that could be read; what else could be read is here. */
	const char *unreadable;
	enum method method;
	struct text path; /* PATH_INFO, decoded by the web server, never decoded again */
	struct text mount; /* SCRIPT_NAME: the prefix that the web server took off */
	struct text dialect; /* LATCHKEY_DIALECT; empty is not sent */
	struct text content_type;
	long long announced_length; /* CONTENT_LENGTH in octets; -1: it was not said */
	struct text bearer; /* the token of "Authorization: Bearer …" (RFC 6750, 2.1) */
	bool tries_bearer; /* an Authorization header was meant for one, well-formed or not */
	struct text cookies; /* the Cookie header */
	struct text origin; /* the Origin header */
	struct text fetch_site; /* the Sec-Fetch-Site header */
	struct text host; /* the Host header: for the cross-site test only, never for links */
	struct text requested_headers; /* Access-Control-Request-Headers, of a CORS preflight */
	bool secure; /* the browser came by HTTPS */
	struct text client; /* address of the client, for events */
	struct text network; /* the same as limits count it: IPv4, or the /64 of IPv6 */
	struct text wider_network; /* the /24 or /48 */
	struct text body;
	enum body_state body_state;
};

/*
 * Fills everything but the body from FastCGI parameters, "NAME=value" each, the last followed by NULL
 * (CGI/1.1, RFC 3875 section 4.1). What was sent more than once makes the request unreadable, but
 * that the lines of a list are joined in their order. All is copied into the arena. trusted_proxies
 * is the setting, checked at the start by client_check().
 */
void request_read(struct request *request, struct arena *arena, char *const *environment,
	const char *trusted_proxies);

/* The value of a cookie (RFC 6265 section 5.4), or TEXT_NONE. The first of that name. */
struct text request_cookie(const struct request *request, const char *name);

/* True for "application/json", in any case, with parameters or without. */
bool request_is_json(const struct request *request);

#endif
