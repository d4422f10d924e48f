/* SPDX-License-Identifier: MIT */
/*
 * libpq tries the hosts of a connection string in their order, and has no way to give up on one that
 * is silent but to begin again. So one begins again with the list turned: what follows the silent one
 * comes first, and what target_session_attrs asks for is found among all hosts as before.
 */
#include "store/hosts.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"

/* The value of an option, or "". */
static const char *value_of(const PQconninfoOption *options, const char *name)
{
	for (; options && options->keyword; options++)
		if (strcmp(options->keyword, name) == 0)
			return options->val ? options->val : "";
	return "";
}

static unsigned parts_of(const char *list)
{
	unsigned parts = 1;
	for (; *list; list++)
		parts += *list == ',';
	return parts;
}

static unsigned count_of(const PQconninfoOption *options)
{
	unsigned hosts = parts_of(value_of(options, "host"));
	unsigned addresses = parts_of(value_of(options, "hostaddr"));
	return hosts > addresses ? hosts : addresses;
}

/* "a,b,c" turned by 1 is "b,c,a". A list of one is the same for all hosts. */
static const char *turn(struct arena *arena, const char *list, unsigned number)
{
	const char *at = list;
	if (parts_of(list) == 1)
		return list;
	for (; number > 0; number--)
		at = strchr(at, ',') + 1;
	if (at == list)
		return list;
	return arena_format(arena, "%s,%.*s", at, (int)(at - list - 1), list);
}

unsigned hosts_count(const char *url)
{
	PQconninfoOption *options = PQconninfoParse(url, NULL);
	unsigned count = options ? count_of(options) : 1;
	PQconninfoFree(options);
	return count;
}

void *hosts_connect(const char *url, unsigned number)
{
	static const char *const lists[] = { "host", "hostaddr", "port" };
	const char *keywords[5] = { "dbname" };
	const char *values[5] = { url };
	if (number == 0)
		return PQconnectStart(url);
	struct arena arena;
	arena_init(&arena);
	PQconninfoOption *options = PQconninfoParse(url, NULL);
	for (unsigned i = 0; i < 3; i++) {
		keywords[i + 1] = lists[i];
		values[i + 1] = turn(&arena, value_of(options, lists[i]), number);
	}
	PGconn *connection = PQconnectStartParams(keywords, values, 1);
	PQconninfoFree(options);
	arena_finish(&arena);
	return connection;
}
