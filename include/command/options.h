/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_COMMAND_OPTIONS_H
#define LATCHKEY_COMMAND_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/settings.h"

#define OVERRIDES_MAXIMUM 64

#define DEFAULT_CONFIG "/etc/latchkey/latchkey.conf"

/* Exit statuses: those of sysexits.h that service managers know. */
enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_BAD_USAGE = 64, EXIT_AWAY = 69, EXIT_BAD_CONFIG = 78 };

/* What all commands take: --config FILE, -o SECTION.KEY=VALUE, --listen ADDRESS (which is
 * -o http.listen=ADDRESS), and words of their own. */
struct options {
	const char *
		config; /* NULL: $LATCHKEY_CONFIG, else /etc/latchkey/latchkey.conf if it is there */
	const char *overrides[OVERRIDES_MAXIMUM];
	size_t override_count;
	const char *words[4]; /* what is neither option nor option's value */
	size_t word_count;
	bool sample; /* --sample */
};

/* Reads the arguments behind the command's name. False after telling what is wrong on stderr. */
__attribute__((warn_unused_result)) bool options_read(
	struct options *options, struct arena *arena, int count, char *const *arguments);

/* Loads the settings that the options ask for. NULL, or what is wrong, in the arena. */
__attribute__((warn_unused_result)) const char *options_settings(
	const struct options *options, struct arena *arena, struct settings *settings);

/* Tells people on stderr what is wrong. */
void complain(const char *wrong);

/* A command: returns an exit status. */
typedef int command(const struct options *options);
command command_serve;
command command_migrate;
command command_keys;
command command_config;
command command_openapi;

#endif
