/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_HTTP_ORIGIN_H
#define LATCHKEY_HTTP_ORIGIN_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/settings.h"
#include "http/request.h"
#include "http/response.h"

/* Whether the Origin header names one of http.origins, compared as RFC 6454 section 5 says. */
bool origin_is_allowed(const struct settings *settings, const struct request *request);

/*
 * Whether a page of another site sent the request, as far as the browser tells: Sec-Fetch-Site
 * is cross-site, or Origin is neither the request's own host nor the origin of api.base_url.
 * Allowed origins are none of these. A request without both headers comes from no browser.
 */
bool origin_is_cross_site(const struct settings *settings, const struct request *request);

/* Whether the host is the machine itself: localhost, *.localhost, 127.0.0.0/8 or [::1]. */
bool host_is_loopback(struct text host);

/* Adds the CORS headers for an allowed origin (Fetch standard, section 3.2), and Vary: Origin
 * wherever http.origins is set. For a preflight, pass the methods of the path; else NULL. */
void origin_headers(const struct settings *settings, const struct request *request,
	const char *methods, struct response *response);

/* NULL, or which part of http.origins is no origin (scheme://host[:port]), in the arena. */
__attribute__((warn_unused_result)) const char *origin_check(
	const struct settings *settings, struct arena *arena);

#endif
