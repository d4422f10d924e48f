/* SPDX-License-Identifier: MIT */
/*
 * Where a setting stands, for those who check what its value means: they know the name alone, and who
 * has to mend it needs the line.
 */
#include <ctype.h>
#include <string.h>

#include "base/settings_table.h"

/* Whether the message begins with the row's name, and not with a longer one. */
static bool is_about(const char *message, const struct setting_row *row)
{
	size_t section = strlen(row->section);
	size_t key = strlen(row->key);
	if (strncmp(message, row->section, section) != 0 || message[section] != '.' ||
		strncmp(message + section + 1, row->key, key) != 0)
		return false;
	unsigned char next = (unsigned char)message[section + 1 + key];
	return !isalnum(next) && next != '_';
}

const char *settings_placed(const struct settings *settings, struct arena *arena, const char *wrong)
{
	if (!wrong || !settings->places)
		return wrong;
	for (size_t i = 0; i < setting_row_count; i++)
		if (settings->places[i] && is_about(wrong, &setting_rows[i]))
			return arena_format(arena, "%s: %s", settings->places[i], wrong);
	return wrong;
}
