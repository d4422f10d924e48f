/* SPDX-License-Identifier: MIT */
/*
 * Connection strings have several spellings, and a password may stand at several places in each. Only
 * libpq knows them all, so it takes the string apart, and says which values are secret.
 */
#include "store/conninfo.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <string.h>

#include "base/text.h"

#define MASK "***"

/* Whether each @ of a URI, in front of its parameters, is the one behind user and password. libpq
 * ends a password at its first @ or /, and what follows becomes a host, a port or a database. */
static bool is_unambiguous(const char *url)
{
	const char *authority = strstr(url, "://");
	if (!authority)
		return true;
	struct text rest = text_of(authority + 3);
	rest.length = text_find(rest, '?');
	size_t first = text_find(rest, '@');
	return first == text_find_last(rest, '@') &&
	       (first == rest.length || first < text_find(rest, '/'));
}

const char *conninfo_check(const char *url)
{
	if (url[0] == '\0')
		return "database.url is not set: postgresql://user@host/name";
	PQconninfoOption *options = PQconninfoParse(url, NULL);
	bool readable = options != NULL;
	PQconninfoFree(options);
	if (!readable)
		return "database.url is no connection string that libpq can read: it is "
		       "postgresql://user@host/name, or host=… user=… dbname=…; in the first form "
		       "a password is percent-encoded";
	if ((strncmp(url, "postgresql://", 13) == 0 || strncmp(url, "postgres://", 11) == 0) &&
		!is_unambiguous(url))
		return "database.url: @, / and ? in a password are percent-encoded (%40, %2F, %3F)";
	return NULL;
}

/* libpq's quotes: needed for what is empty or holds blanks, a backslash before ' and \. */
static const char *quoted(struct arena *arena, const char *value)
{
	if (value[0] != '\0' && !strpbrk(value, " \t'\\"))
		return value;
	char *octets = arena_alloc(arena, 2 * strlen(value) + 3);
	size_t used = 0;
	octets[used++] = '\'';
	for (; *value; value++) {
		if (*value == '\'' || *value == '\\')
			octets[used++] = '\\';
		octets[used++] = *value;
	}
	octets[used] = '\'';
	return octets;
}

const char *conninfo_masked(struct arena *arena, const char *url)
{
	const char *masked = "";
	if (url[0] == '\0')
		return "";
	PQconninfoOption *options = PQconninfoParse(url, NULL);
	if (!options)
		return MASK;
	for (const PQconninfoOption *option = options; option->keyword; option++) {
		bool secret = strchr(option->dispchar, '*') != NULL;
		if (option->val)
			masked = arena_format(arena, "%s%s%s=%s", masked, masked[0] ? " " : "",
				option->keyword, secret ? MASK : quoted(arena, option->val));
	}
	PQconninfoFree(options);
	return masked;
}
