/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_HTTP_RESPONSE_H
#define LATCHKEY_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/text.h"

/* An answer under construction, in the request's arena. */
struct response {
	struct arena *arena;
	int status; /* RFC 9110 section 15 */
	struct text body; /* application/json; TEXT_NONE: no body */
	struct text headers[16];
	size_t header_count;
	bool without_body; /* HEAD: the headers of the body, but not the body */
};

void response_init(struct response *response, struct arena *arena);

/* Adds a header. Values with control characters end the process: they are a bug, never data.
 * More than 16 likewise. */
__attribute__((format(printf, 3, 4))) void response_header(
	struct response *response, const char *name, const char *format, ...);

/* The whole answer as a CGI response (RFC 3875 section 6): Status, Cache-Control: no-store and
 * X-Content-Type-Options: nosniff, the content type and length of a body, the headers, the body. */
struct text response_render(const struct response *response);

#endif
