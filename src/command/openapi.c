/* SPDX-License-Identifier: MIT */
/* latchkey openapi DIALECT: prints the document that a service with these settings serves at
 * /openapi.json. */
#include "api/openapi.h"
#include "command/options.h"

int command_openapi(const struct options *options)
{
	const struct dialect *dialect =
		options->word_count == 1 ? dialect_find(text_of(options->words[0])) : NULL;
	struct arena arena;
	struct text document;
	struct settings settings;
	int status = EXIT_OK;
	arena_init(&arena);
	const char *wrong = options_settings(options, &arena, &settings);
	if (!dialect) {
		complain("which dialect? latchkey openapi bearer|content|cookie|nested|token");
		status = EXIT_BAD_USAGE;
	} else if (wrong) {
		complain(wrong);
		status = EXIT_BAD_CONFIG;
	} else if (!openapi_document(&arena, &settings, dialect, &document)) {
		complain("a setting is not UTF-8");
		status = EXIT_FAILED;
	} else {
		printf("%.*s\n", TEXT_PRINTF(document));
	}
	arena_finish(&arena);
	return status;
}
