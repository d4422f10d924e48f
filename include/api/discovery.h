/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_API_DISCOVERY_H
#define LATCHKEY_API_DISCOVERY_H

#include <stdbool.h>

#include "api/dialect.h"

/*
 * What a verifier that knows only the issuer asks for (OpenID Connect Discovery 1.0 section 3), as
 * JSON in the arena. All URLs come from api.base_url; where tokens.issuer is that URL, as it is by
 * default, the document is where section 4 has it looked for. False where a setting is not UTF-8.
 */
__attribute__((warn_unused_result)) bool discovery_document(struct arena *arena,
	const struct settings *settings, const struct dialect *dialect,
	const char *const algorithms[ALGORITHM_COUNT], struct text *document);

#endif
