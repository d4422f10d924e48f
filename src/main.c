/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "command/options.h"

static const struct {
	const char *name;
	command *run;
	const char *usage;
	const char *help;
} commands[] = {
	{ "serve", command_serve, "serve [--listen ADDRESS]",
		"answer requests; the socket may also be inherited" },
	{ "migrate", command_migrate, "migrate", "bring the database to this program's schema" },
	{ "keys", command_keys, "keys new", "make a signing key in tokens.keys" },
	{ "config", command_config, "config [--sample]",
		"check the settings and print those in force, or a sample file" },
	{ "openapi", command_openapi, "openapi DIALECT", "print a dialect's OpenAPI document" },
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static int help(void)
{
	printf("latchkey %s: accounts for web sites, over FastCGI\n\n", LATCHKEY_VERSION);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		printf("  latchkey %-28s %s\n", commands[i].usage, commands[i].help);
	printf("\nEvery command takes --config FILE and -o SECTION.KEY=VALUE, as often as needed.\n"
	       "A program name that ends in .fcgi, or a listening socket on fd 0, means serve.\n");
	return EXIT_OK;
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

static int run(command *chosen, int count, char *const *arguments)
{
	struct arena arena;
	struct options options;
	arena_init(&arena);
	int status = EXIT_BAD_USAGE;
	if (options_read(&options, &arena, count, arguments))
		status = chosen(&options);
	arena_finish(&arena);
	return status;
}

int main(int count, char **arguments)
{
	const char *name = count > 1 ? arguments[1] : "";
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(name, commands[i].name) == 0)
			return run(commands[i].run, count - 2, arguments + 2);
	if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		return help();
	if (strcmp(name, "--version") == 0) {
		printf("latchkey %s\n", LATCHKEY_VERSION);
		return EXIT_OK;
	}
	if (count > 0 && (name[0] == '\0' || name[0] == '-') &&
		is_started_by_web_server(arguments[0]))
		return run(command_serve, count - 1, arguments + 1);
	if (name[0] == '\0') {
		help();
		return EXIT_BAD_USAGE;
	}
	fprintf(stderr, "latchkey: there is no command %s; try latchkey help\n", name);
	return EXIT_BAD_USAGE;
}
