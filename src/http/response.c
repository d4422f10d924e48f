/* SPDX-License-Identifier: MIT */
/* One buffer for the whole answer, so that it leaves with one write. What holds for every answer is
 * said here once. */
#include "http/response.h"

#include "base/check.h"

#define HEADERS_MAXIMUM (sizeof(((struct response *)0)->headers) / sizeof(struct text))

static const struct {
	int status;
	const char *reason;
} reasons[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 204, "No Content" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 409, "Conflict" },
	{ 413, "Content Too Large" },
	{ 415, "Unsupported Media Type" },
	{ 429, "Too Many Requests" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 503, "Service Unavailable" },
};

void response_init(struct response *response, struct arena *arena)
{
	*response = (struct response){ .arena = arena, .status = 500 };
}

void response_header(struct response *response, const char *name, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	const char *value = arena_format_list(response->arena, format, arguments);
	va_end(arguments);
	CHECK(response->header_count < HEADERS_MAXIMUM);
	CHECK(!text_has_control(text_of(value)));
	response->headers[response->header_count++] =
		text_format(response->arena, "%s: %s\r\n", name, value);
}

static const char *reason_of(int status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Unknown";
}

struct text response_render(const struct response *response)
{
	struct arena *arena = response->arena;
	struct text entity = TEXT("");
	struct text headers = TEXT("");
	if (text_is_given(response->body))
		entity = text_format(arena,
			"Content-Type: application/json\r\nContent-Length: %zu\r\n",
			response->body.length);
	for (size_t i = 0; i < response->header_count; i++)
		headers = text_format(
			arena, "%.*s%.*s", TEXT_PRINTF(headers), TEXT_PRINTF(response->headers[i]));
	struct text body = response->without_body ? TEXT("") : response->body;
	return text_format(arena,
		"Status: %d %s\r\n"
		"Cache-Control: no-store\r\n"
		"X-Content-Type-Options: nosniff\r\n"
		"%.*s%.*s\r\n%.*s",
		response->status, reason_of(response->status), TEXT_PRINTF(entity),
		TEXT_PRINTF(headers), TEXT_PRINTF(body));
}
