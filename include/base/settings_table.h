/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_BASE_SETTINGS_TABLE_H
#define LATCHKEY_BASE_SETTINGS_TABLE_H

#include "base/settings.h"

/* settings.def as rows, for the two rooms that read and print settings; nobody else includes it. */

enum setting_type {
	SETTING_STRING,
	SETTING_SECRET,
	SETTING_INTEGER,
	SETTING_DURATION,
	SETTING_CHOICE,
	SETTING_RATE,
};

struct setting_row {
	const char *section;
	const char *key;
	enum setting_type type;
	const char *standard; /* the default, as a file would say it */
	long minimum;
	long maximum;
	const char *choices; /* "a|b|c" */
	const char *description;
	size_t offset; /* in struct settings */
};

extern const struct setting_row setting_rows[];
extern const size_t setting_row_count;

#endif
