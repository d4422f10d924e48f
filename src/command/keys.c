/* SPDX-License-Identifier: MIT */
/* latchkey keys new: makes a key that signs from the next start or reload on. */
#include <string.h>

#include "command/options.h"
#include "tokens/keyring.h"

int command_keys(const struct options *options)
{
	if (options->word_count != 1 || strcmp(options->words[0], "new") != 0) {
		complain("what about the keys? There is: latchkey keys new");
		return EXIT_BAD_USAGE;
	}
	struct arena arena;
	arena_init(&arena);
	int status = EXIT_BAD_CONFIG;
	struct settings settings;
	const char *path;
	const char *wrong = options_settings(options, &arena, &settings);
	if (!wrong) {
		wrong = keyring_create(settings.tokens_keys,
			(enum algorithm)settings.tokens_algorithm, &arena, &path);
		status = wrong ? EXIT_FAILED : EXIT_OK;
	}
	if (wrong)
		complain(wrong);
	else
		printf("%s\n", path);
	arena_finish(&arena);
	return status;
}
