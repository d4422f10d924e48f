/* SPDX-License-Identifier: MIT */
#include "api/router.h"

#include <string.h>

/* "/register/" is "/register". */
static struct text without_slash(struct text path)
{
	if (path.length > 1 && path.at[path.length - 1] == '/')
		path.length--;
	return path;
}

/* Segment by segment; *token is what stood for {token}. */
static bool path_matches(const char *pattern, struct text path, struct text *token)
{
	struct text wanted = without_slash(text_of(pattern));
	struct text expected;
	struct text segment;
	*token = TEXT_NONE;
	while (text_next(&wanted, '/', &expected)) {
		if (!text_next(&path, '/', &segment))
			return false;
		if (text_equal(expected, TEXT("{token}")) && segment.length > 0)
			*token = segment;
		else if (!text_equal(expected, segment))
			return false;
	}
	return !text_next(&path, '/', &segment);
}

/* The methods of a path as they are met: at most one each. */
struct methods {
	bool get;
	bool post;
};

static void method_note(struct methods *methods, enum method method)
{
	methods->get |= method == METHOD_GET;
	methods->post |= method == METHOD_POST;
}

static const char *methods_allow(const struct methods *methods)
{
	if (methods->get && methods->post)
		return "GET, HEAD, POST, OPTIONS";
	return methods->get ? "GET, HEAD, OPTIONS" : "POST, OPTIONS";
}

/* Looks for routes of one kind: spelled out, or with {token}. */
static void look(const struct route *routes, bool spelled_out, enum method method, struct text path,
	struct match *match, struct methods *methods)
{
	for (const struct route *route = routes; route->path; route++) {
		struct text token;
		if (!path_matches(route->path, path, &token) || text_is_given(token) == spelled_out)
			continue;
		match->known = true;
		method_note(methods, route->method);
		if (!match->route && route->method == method) {
			match->route = route;
			match->token = token;
		}
	}
}

struct match route_find(const struct dialect *dialect, enum method method, struct text path)
{
	struct match match = { 0 };
	struct methods methods = { 0 };
	enum method served = method == METHOD_HEAD ? METHOD_GET : method;
	path = without_slash(path);
	for (int spelled_out = 1; spelled_out >= 0 && !match.known; spelled_out--) {
		look(dialect->routes, spelled_out, served, path, &match, &methods);
		look(common_routes, spelled_out, served, path, &match, &methods);
	}
	match.allow = match.known ? methods_allow(&methods) : NULL;
	return match;
}

bool route_reveals_existence(const struct route *route, const struct settings *settings)
{
	return route->enumeration == ENUMERATION_REVEAL ||
	       (route->enumeration == ENUMERATION_CONFIGURED &&
		       settings->api_reveal_unknown_email != REVEAL_NEVER);
}

const char *route_path(const struct dialect *dialect, operation *wanted)
{
	const struct route *lists[] = { dialect->routes, common_routes };
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (const struct route *route = lists[i]; route->path; route++)
			if (route->operation == wanted)
				return route->path;
	return NULL;
}

const char *route_link(struct arena *arena, const struct dialect *dialect, operation *wanted)
{
	const char *path = route_path(dialect, wanted);
	bool in_path = path && strstr(path, "{token}");
	return arena_format(
		arena, "{base_url}%s%s", path ? path : "", in_path ? "" : "#token={token}");
}

const struct dialect *dialect_find(struct text name)
{
	for (size_t i = 0; i < dialect_count; i++)
		if (text_equal(name, text_of(dialects[i]->name)))
			return dialects[i];
	return NULL;
}
