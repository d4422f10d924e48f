/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_COMMAND_GENERATION_H
#define LATCHKEY_COMMAND_GENERATION_H

#include "command/options.h"
#include "passwords/blocklist.h"
#include "tokens/keyring.h"

/* What a reload replaces as a whole: the settings, and what they name that is read at the start. */
struct generation {
	struct arena arena;
	struct settings settings;
	struct keyring keyring;
	struct blocklist blocklist;
};

/* Whether the settings make sense together and name what is there: NULL, or what is wrong and
 * what to do, in the arena. Does not ask the database or the mail server. */
__attribute__((warn_unused_result)) const char *settings_check(
	const struct settings *settings, struct arena *arena);

/* Loads and checks everything. Returns NULL, or what is wrong, in the arena `errors`. */
__attribute__((warn_unused_result)) const char *generation_open(
	struct generation *generation, const struct options *options, struct arena *errors);

/* Forgets everything; a zeroed or half-made one is taken too. */
void generation_close(struct generation *generation);

#endif
