/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_BASE_SETTINGS_H
#define LATCHKEY_BASE_SETTINGS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/arena.h"

/* How often something may be done: count times in seconds. count 0 means no limit ("off"). */
struct rate {
	long count;
	long seconds;
};

/*
 * The settings in force, one field for each row of settings.def, named section_key. Written
 * once at the start (and anew for each reload), then read only. All strings are in the arena
 * that settings_load() was given; an empty one is "", never NULL.
 */
struct settings {
#define STRING(section, key, value, description) const char *section##_##key;
#define SECRET STRING
#define INTEGER(section, key, value, minimum, maximum, description) long section##_##key;
#define DURATION INTEGER
#define CHOICE(section, key, value, choices, description) int section##_##key;
#define RATE(section, key, value, description) struct rate section##_##key;
#include "base/settings.def"
#undef STRING
#undef SECRET
#undef INTEGER
#undef DURATION
#undef CHOICE
#undef RATE
	const char *const *places; /* for settings_placed(): where each row's value stands */
};

/* The indices of the CHOICE rows, in the order of their lists. */
enum { CHOICE_NO, CHOICE_YES };
enum { REVEAL_DOCUMENTED, REVEAL_NEVER };
enum { ROTATE_AUTO, ROTATE_ALWAYS, ROTATE_NEVER };
enum { WEAK_REFUSE, WEAK_ALLOW };
enum { TRANSPORT_SMTP, TRANSPORT_SENDMAIL, TRANSPORT_DIRECTORY };
enum { TLS_OFF, TLS_OPPORTUNISTIC, TLS_REQUIRED };

/*
 * Reads defaults, then the file (path may be NULL: no file), then the environment
 * (LATCHKEY_SECTION_KEY), then overrides ("section.key=value", as -o gives them); the later
 * wins. tokens.issuer falls back to api.base_url, tokens.audience to tokens.issuer, "auto"
 * becomes a number.
 *
 * Returns NULL, or what is wrong, in the arena: where (file:line, the variable or the option),
 * what, and what would be right. *settings is written on success only.
 */
__attribute__((warn_unused_result)) const char *settings_load(struct arena *arena, const char *path,
	const char *const *overrides, size_t override_count, char *const *environment,
	struct settings *settings);

/*
 * What is wrong with a setting, with its place before it, in the arena: "FILE:LINE: ", the variable or the
 * option. `wrong` begins with the name of the setting ("api.base_url must begin with …"). Anything
 * else, and what is wrong with a default, is returned as it is.
 */
const char *settings_placed(
	const struct settings *settings, struct arena *arena, const char *wrong);

/* How the value of a SECRET row is shown: without its secret parts, in the arena. */
struct settings_mask {
	const char *section;
	const char *key;
	const char *(*mask)(struct arena *arena, const char *value);
};

/* Prints the settings in force as a file that settings_load() reads to the same settings, except
 * for what is secret: a SECRET row is shown as its mask says, and as *** where it has none. masks ends
 * with a section of NULL. */
void settings_print(const struct settings *settings, const struct settings_mask *masks, FILE *to);

/* Prints the sample file: every row with its description, default and range, commented out. */
void settings_print_sample(FILE *to);

#endif
