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
 * Whether a page of another site sent the request, as far as the browser tells. Pages of http.origins
 * are meant to call from elsewhere, so they pass whatever else is said: no page can forge Origin.
 * Else Sec-Fetch-Site decides (Fetch Metadata, section 2.3), where it is there: same-origin and none
 * pass. Else Origin does: it must be the request's own scheme, host and port, or that of api.base_url.
 * A request without all of these comes from no browser.
 */
bool origin_is_cross_site(const struct settings *settings, const struct request *request);

/* Whether the host is the machine itself: localhost, *.localhost, 127.0.0.0/8 or [::1]. */
bool host_is_loopback(struct text host);

/* Adds the CORS headers for an allowed origin (Fetch standard, section 3.2), and Vary wherever
 * http.origins is set. For a preflight, pass the methods of the path; else NULL. The headers that a
 * preflight asks for are allowed if they are at most 1 KiB of names. */
void origin_headers(const struct settings *settings, const struct request *request,
	const char *methods, struct response *response);

/* NULL, or which part of http.origins is no origin (scheme://host[:port]), in the arena. */
__attribute__((warn_unused_result)) const char *origin_check(
	const struct settings *settings, struct arena *arena);

#endif
