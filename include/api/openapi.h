/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_API_OPENAPI_H
#define LATCHKEY_API_OPENAPI_H

#include <stdbool.h>

#include "api/dialect.h"

/* The dialect's OpenAPI 3.1 document, in the arena, printed from the tables that serve it, with the
 * limits and the URL of the settings. False where a setting is not UTF-8. */
__attribute__((warn_unused_result)) bool openapi_document(struct arena *arena,
	const struct settings *settings, const struct dialect *dialect, struct text *document);

#endif
