/* SPDX-License-Identifier: MIT */
/* latchkey openapi DIALECT: prints the document that the service serves at /openapi.json. */
#include "api/openapi.h"
#include "command/options.h"

int command_openapi(const struct options *options)
{
	const struct dialect *dialect =
		options->word_count == 1 ? dialect_find(text_of(options->words[0])) : NULL;
	struct arena arena;
	struct text document;
	arena_init(&arena);
	if (!dialect) {
		complain("which dialect? latchkey openapi bearer|content|cookie|nested|token");
		return EXIT_BAD_USAGE;
	}
	bool printed = openapi_document(&arena, dialect, &document);
	if (printed)
		printf("%.*s\n", TEXT_PRINTF(document));
	arena_finish(&arena);
	return printed ? EXIT_OK : EXIT_FAILED;
}
