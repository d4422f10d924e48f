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
	enum method method;
	struct text path; /* PATH_INFO, decoded by the web server, never decoded again */
	struct text mount; /* SCRIPT_NAME: the prefix that the web server took off */
	struct text dialect; /* LATCHKEY_DIALECT; empty is not sent */
	struct text content_type;
	struct text bearer; /* the token of "Authorization: Bearer …" (RFC 6750, 2.1) */
	bool authorization; /* there was an Authorization header, whatever it held */
	struct text cookies; /* the Cookie header */
	struct text origin; /* the Origin header */
	struct text fetch_site; /* the Sec-Fetch-Site header */
	struct text host; /* the Host header: for the cross-site test only, never for links */
	struct text requested_method; /* Access-Control-Request-Method: a CORS preflight */
	bool secure; /* the browser came by HTTPS */
	struct text client; /* address of the client, for events */
	struct text network; /* the same as limits count it: IPv4, or the /64 of IPv6 */
	struct text body;
	enum body_state body_state;
};

/* One FastCGI parameter (CGI/1.1 name) of the request, or NULL: the first of that name. */
typedef const char *parameter_source(void *context, const char *name);

/*
 * Fills everything but the body. Returns false for a request that must not be served: a path with
 * control characters or bad UTF-8, two Authorization values in one header, parameters of more than
 * 8 KiB. trusted_proxies is the setting, checked at the start by client_check().
 */
__attribute__((warn_unused_result)) bool request_read(struct request *request, struct arena *arena,
	parameter_source *parameter, void *context, const char *trusted_proxies);

/* The value of a cookie (RFC 6265 section 5.4), or TEXT_NONE. The first of that name. */
struct text request_cookie(const struct request *request, const char *name);

/* True for "application/json", in any case, with parameters or without. */
bool request_is_json(const struct request *request);

#endif
