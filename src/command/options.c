/* SPDX-License-Identifier: MIT */
#include "command/options.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

extern char **environ;

static bool refuse(const char *what, const char *which)
{
	fprintf(stderr, "latchkey: %s%s\nlatchkey: try latchkey help\n", what, which);
	return false;
}

static bool add_override(struct options *options, const char *override)
{
	if (options->override_count == OVERRIDES_MAXIMUM)
		return refuse("too many settings on the command line: use the file", "");
	options->overrides[options->override_count++] = override;
	return true;
}

/* The value of an option, from "--name=value" or the next argument; NULL where there is none. */
static const char *value_of(const char *name, int count, char *const *arguments, int *at)
{
	const char *argument = arguments[*at];
	size_t length = strlen(name);
	if (argument[length] == '=')
		return argument + length + 1;
	return *at + 1 < count ? arguments[++*at] : NULL;
}

static bool is_option(const char *argument, const char *name)
{
	size_t length = strlen(name);
	return strncmp(argument, name, length) == 0 &&
	       (argument[length] == '\0' || argument[length] == '=');
}

static bool read_option(
	struct options *options, struct arena *arena, int count, char *const *arguments, int *at)
{
	const char *argument = arguments[*at];
	if (strcmp(argument, "--sample") == 0) {
		options->sample = true;
		return true;
	}
	const char *const names[] = { "--config", "--listen", "-o" };
	for (size_t i = 0; i < 3; i++) {
		if (!is_option(argument, names[i]))
			continue;
		const char *value = value_of(names[i], count, arguments, at);
		if (!value)
			return refuse("a value is missing after ", argument);
		if (i == 0)
			options->config = value;
		return i == 0 ||
		       add_override(options,
			       i == 2 ? value : arena_format(arena, "http.listen=%s", value));
	}
	return refuse("there is no option ", argument);
}

bool options_read(struct options *options, struct arena *arena, int count, char *const *arguments)
{
	*options = (struct options){ 0 };
	for (int at = 0; at < count; at++) {
		if (arguments[at][0] == '-') {
			if (!read_option(options, arena, count, arguments, &at))
				return false;
		} else if (options->word_count == sizeof(options->words) / sizeof(char *)) {
			return refuse("there is one word too many: ", arguments[at]);
		} else {
			options->words[options->word_count++] = arguments[at];
		}
	}
	return true;
}

const char *options_settings(
	const struct options *options, struct arena *arena, struct settings *settings)
{
	const char *path = options->config ? options->config : getenv("LATCHKEY_CONFIG");
	if (!path && access(DEFAULT_CONFIG, F_OK) == 0)
		path = DEFAULT_CONFIG;
	return settings_load(
		arena, path, options->overrides, options->override_count, environ, settings);
}

void complain(const char *wrong)
{
	fprintf(stderr, "%slatchkey: %s\n", log_priority(LOG_ERROR_LEVEL), wrong);
}
