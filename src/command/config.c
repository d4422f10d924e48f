/* SPDX-License-Identifier: MIT */
/* latchkey config: checks the settings and prints those in force, or a file to begin with. */
#include "command/generation.h"
#include "mail/smtp_url.h"
#include "store/conninfo.h"

static const struct settings_mask masks[] = {
	{ "database", "url", conninfo_masked },
	{ "mail", "url", smtp_url_masked },
	{ NULL, NULL, NULL },
};

int command_config(const struct options *options)
{
	if (options->sample) {
		settings_print_sample(stdout);
		return EXIT_OK;
	}
	struct arena arena;
	struct generation generation;
	arena_init(&arena);
	const char *wrong = generation_open(&generation, options, &arena);
	if (wrong)
		complain(wrong);
	else
		settings_print(&generation.settings, masks, stdout);
	if (!wrong)
		generation_close(&generation);
	arena_finish(&arena);
	return wrong ? EXIT_BAD_CONFIG : EXIT_OK;
}
