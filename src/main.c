/* SPDX-License-Identifier: MIT */
/* The program's commands, by name: what each is for, how it is called, and the function that does it. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/check.h"
#include "command/options.h"

static const struct entry {
	const char *name;
	command *run;
	const char *usage;
	const char *help;
	const char *details;
} commands[] = {
	{ "serve", command_serve, "serve [--listen ADDRESS]",
		"answer requests; the socket may also be inherited",
		"The socket is that on fd 0, the first that systemd passes, or one that is made "
		"at\n"
		"ADDRESS (http.listen): a path, or address:port on a trusted network. TERM "
		"finishes\n"
		"the requests in hand and ends it; HUP reads settings, keys and templates "
		"anew.\n" },
	{ "migrate", command_migrate, "migrate", "bring the database to this program's schema",
		"Applies the missing steps, each in a transaction of its own, and prints them. "
		"Several\n"
		"may do so at once. The role of database.url needs the right to create tables, "
		"unless\n"
		"nothing is missing.\n" },
	{ "keys", command_keys, "keys new", "make a signing key in tokens.keys",
		"The key is one for tokens.algorithm, and signs from the next start or HUP on. Its "
		"file\n"
		"belongs to whom the folder belongs to. Prints its path.\n" },
	{ "config", command_config, "config [--sample]",
		"check the settings and print those in force, or a sample file",
		"Passwords are printed as ***. --sample prints every setting with its "
		"description,\n"
		"range and default, and checks nothing.\n" },
	{ "openapi", command_openapi, "openapi DIALECT", "print a dialect's OpenAPI document",
		"Dialects are bearer, content, cookie, nested and token. The document is the one "
		"that\n"
		"the service answers /openapi.json with.\n" },
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static int help(void)
{
	printf("latchkey %s: accounts for web sites, over FastCGI\n\n", LATCHKEY_VERSION);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		printf("  latchkey %-28s %s\n", commands[i].usage, commands[i].help);
	printf("\nEvery command takes --config FILE and -o SECTION.KEY=VALUE, as often as needed, "
	       "and\n"
	       "--help. A program name that ends in .fcgi, or a listening socket on fd 0, means "
	       "serve.\n");
	return EXIT_OK;
}

static int help_with(const struct entry *entry)
{
	printf("usage: latchkey %s [--config FILE] [-o SECTION.KEY=VALUE]...\n\n%s: %s.\n\n%s\n"
	       "  --config FILE           the settings ($LATCHKEY_CONFIG, " DEFAULT_CONFIG ")\n"
	       "  -o SECTION.KEY=VALUE    a setting, before those of the file and of the "
	       "environment\n",
		entry->usage, entry->name, entry->help, entry->details);
	return EXIT_OK;
}

static bool asks_for_help(const char *argument)
{
	return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

static const struct entry *find(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	return NULL;
}

/* How web servers start it: by a name of their liking, or with the socket in place. */
static bool is_started_by_web_server(const char *name)
{
	size_t length = strlen(name);
	int listening = 0;
	socklen_t size = sizeof(listening);
	return (length > 5 && strcmp(name + length - 5, ".fcgi") == 0) ||
	       (getsockopt(0, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening);
}

static int run(const struct entry *chosen, int count, char *const *arguments)
{
	struct arena arena;
	struct options options;
	CHECK(chosen);
	for (int i = 0; i < count; i++)
		if (asks_for_help(arguments[i]))
			return help_with(chosen);
	arena_init(&arena);
	int status = EXIT_BAD_USAGE;
	if (options_read(&options, &arena, count, arguments))
		status = chosen->run(&options);
	arena_finish(&arena);
	return status;
}

int main(int count, char **arguments)
{
	const char *name = count > 1 ? arguments[1] : "";
	const struct entry *chosen = find(name);
	if (chosen)
		return run(chosen, count - 2, arguments + 2);
	if (strcmp(name, "help") == 0 || asks_for_help(name)) {
		chosen = count > 2 ? find(arguments[2]) : NULL;
		return chosen ? help_with(chosen) : help();
	}
	if (strcmp(name, "--version") == 0) {
		printf("latchkey %s\n", LATCHKEY_VERSION);
		return EXIT_OK;
	}
	if (count > 0 && (name[0] == '\0' || name[0] == '-') &&
		is_started_by_web_server(arguments[0]))
		return run(find("serve"), count - 1, arguments + 1);
	if (name[0] == '\0') {
		help();
		return EXIT_BAD_USAGE;
	}
	fprintf(stderr, "latchkey: there is no command %s; try latchkey help\n", name);
	return EXIT_BAD_USAGE;
}
