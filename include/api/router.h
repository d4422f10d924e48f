/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_API_ROUTER_H
#define LATCHKEY_API_ROUTER_H

#include <stdbool.h>

#include "api/dialect.h"

/* Where a path leads in a dialect. */
struct match {
	bool known; /* some route has this path */
	const struct route *route; /* NULL: none with this method */
	struct text token; /* what stands for {token}; TEXT_NONE where there is none */
	const char *allow; /* the methods of the path, for Allow: "POST, OPTIONS" */
};

/*
 * Finds the route, with or without a slash at the end. A path that is spelled out goes before one
 * with {token}; a dialect's own routes before those of all. HEAD is served where GET is.
 */
struct match route_find(const struct dialect *dialect, enum method method, struct text path);

/* Whether the answers of a route may tell that there is an account. */
bool route_reveals_existence(const struct route *route, const struct settings *settings);

/* The link that leads to an operation in mails, for links.*: "{base_url}", its path with {token}, or,
 * where a path has no room for it, "#token={token}", which no log shows. In the arena. */
const char *route_link(struct arena *arena, const struct dialect *dialect, operation *wanted);

/* The path of the first route of an operation, the dialect's own before those of all; NULL where it
 * has none. */
const char *route_path(const struct dialect *dialect, operation *wanted);

#endif
