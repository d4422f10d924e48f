/* SPDX-License-Identifier: MIT */
/* latchkey migrate: brings the database to this program's schema. */
#include "command/options.h"
#include "store/conninfo.h"
#include "store/schema.h"

static void tell(void *context, const struct migration *migration)
{
	int *applied = context;
	(*applied)++;
	printf("applied %04d_%s\n", migration->version, migration->name);
	fflush(stdout);
}

int command_migrate(const struct options *options)
{
	struct arena arena;
	arena_init(&arena);
	int status = EXIT_BAD_CONFIG;
	struct settings settings;
	const char *wrong = options_settings(options, &arena, &settings);
	if (!wrong)
		wrong = settings_placed(&settings, &arena, conninfo_check(settings.database_url));
	if (wrong)
		goto out;
	int applied = 0;
	wrong = schema_migrate(&settings, &arena, tell, &applied);
	if (!wrong && applied == 0)
		printf("nothing to do: the database has all %d steps\n", migration_count);
	status = wrong ? EXIT_FAILED : EXIT_OK;
out:
	if (wrong)
		complain(wrong);
	arena_finish(&arena);
	return status;
}
