/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_API_OPENAPI_H
#define LATCHKEY_API_OPENAPI_H

#include <stdbool.h>

#include "api/dialect.h"
#include "base/json.h"

/* The dialect's OpenAPI 3.1 document, in the arena, printed from the tables that serve it. False
 * where the writer failed, which a test would have shown. */
__attribute__((warn_unused_result)) bool openapi_document(
	struct arena *arena, const struct dialect *dialect, struct text *document);

/* The parts that are JSON Schema: of a request's body, of a success, of every error. */
void openapi_request_schema(struct json_writer *json, const struct route *route);
void openapi_reply_schema(struct json_writer *json, const char *key, struct arena *arena,
	const struct dialect *dialect, const struct reply_member *reply);
void openapi_error_schema(struct json_writer *json, const char *key, const struct dialect *dialect);

#endif
