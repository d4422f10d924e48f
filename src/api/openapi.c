/* SPDX-License-Identifier: MIT */
/*
 * OpenAPI 3.1 from the tables that serve: what a route takes and answers is in its rows, what it may
 * refuse in those of its operation. Limits and URLs are those of the settings in force, so a client
 * that is generated from the document of a running service fits that service.
 */
#include "api/openapi.h"

#include <string.h>

#include "api/openapi_parts.h"
#include "api/router.h"

static const struct {
	const char *name;
	const char *description;
} tags[] = {
	{ "account", "Registration and the user's own account" },
	{ "session", "Log-in, refresh and log-out" },
	{ "password", "Changing and resetting the password" },
	{ "email", "Verifying the e-mail" },
	{ "service", "Keys, documents and health of the service" },
};

static void write_info(struct openapi *openapi)
{
	struct json_writer *json = &openapi->json;
	json_open_object(json, "info");
	json_string(json, "title",
		arena_format(openapi->arena, "latchkey, dialect %s", openapi->dialect->name));
	json_string(json, "version", LATCHKEY_VERSION);
	json_string(json, "summary", "Accounts for web sites");
	json_open_object(json, "license");
	json_string(json, "name", "MIT");
	json_string(json, "identifier", "MIT");
	json_close_object(json);
	json_close_object(json);
}

/* Without api.base_url, which only the command may do without, the standard's own default holds. */
static void write_servers(struct openapi *openapi)
{
	struct json_writer *json = &openapi->json;
	if (openapi->settings->api_base_url[0] == '\0')
		return;
	json_open_array(json, "servers");
	json_open_object(json, NULL);
	json_string(json, "url", openapi->settings->api_base_url);
	json_close_object(json);
	json_close_array(json);
}

static void write_tags(struct openapi *openapi)
{
	struct json_writer *json = &openapi->json;
	json_open_array(json, "tags");
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		json_open_object(json, NULL);
		json_string(json, "name", tags[i].name);
		json_string(json, "description", tags[i].description);
		json_close_object(json);
	}
	json_close_array(json);
}

/* The routes that requests reach: a common one may have one of the dialect's own in its place. */
static void find_routes(struct openapi *openapi)
{
	const struct route *lists[] = { openapi->dialect->routes, common_routes };
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		for (const struct route *route = lists[i]; route->path; route++) {
			struct match match =
				route_find(openapi->dialect, route->method, text_of(route->path));
			if (match.route == route && openapi->route_count < OPENAPI_ROUTES_MAXIMUM)
				openapi->routes[openapi->route_count++] = route;
		}
	}
}

/* The first route from there on that has the path; route_count where there is none. */
static size_t find_path(const struct openapi *openapi, size_t from, const char *path)
{
	while (from < openapi->route_count && strcmp(openapi->routes[from]->path, path) != 0)
		from++;
	return from;
}

/* A path has one entry, whatever methods it has. */
static void write_paths(struct openapi *openapi)
{
	json_open_object(&openapi->json, "paths");
	for (size_t i = 0; i < openapi->route_count; i++) {
		const char *path = openapi->routes[i]->path;
		if (find_path(openapi, 0, path) < i)
			continue;
		json_open_object(&openapi->json, path);
		for (size_t k = i; k < openapi->route_count; k = find_path(openapi, k + 1, path))
			openapi_write_route(openapi, openapi->routes[k]);
		json_close_object(&openapi->json);
	}
	json_close_object(&openapi->json);
}

static void write_security_schemes(struct openapi *openapi)
{
	struct json_writer *json = &openapi->json;
	json_open_object(json, "securitySchemes");
	json_open_object(json, "accessToken");
	json_string(json, "type", "http");
	json_string(json, "scheme", "bearer");
	json_string(json, "bearerFormat", "JWT");
	json_close_object(json);
	if (openapi->dialect->refresh_cookie) {
		json_open_object(json, "refreshCookie");
		json_string(json, "type", "apiKey");
		json_string(json, "in", "cookie");
		json_string(json, "name", openapi->dialect->refresh_cookie);
		json_close_object(json);
	}
	json_close_object(json);
}

static void write_headers(struct openapi *openapi)
{
	struct json_writer *json = &openapi->json;
	json_open_object(json, "headers");
	json_open_object(json, "RetryAfter");
	json_string(
		json, "description", "Seconds to wait before the request is worth trying again");
	openapi_write_type(openapi, "schema", "integer");
	json_close_object(json);
	json_close_object(json);
}

static void write_schemas(struct openapi *openapi)
{
	json_open_object(&openapi->json, "schemas");
	openapi_write_error(openapi, "Error");
	openapi_write_shapes(openapi);
	for (size_t i = 0; i < openapi->route_count; i++) {
		const char *name = openapi_request_name(openapi, openapi->routes[i]);
		if (name)
			openapi_write_request(openapi, name, openapi->routes[i]);
	}
	json_close_object(&openapi->json);
}

bool openapi_document(struct arena *arena, const struct settings *settings,
	const struct dialect *dialect, struct text *document)
{
	struct openapi openapi = { .arena = arena, .settings = settings, .dialect = dialect };
	struct json_writer *json = &openapi.json;
	find_routes(&openapi);
	json_begin(json, arena);
	json_open_object(json, NULL);
	json_string(json, "openapi", "3.1.0");
	write_info(&openapi);
	write_servers(&openapi);
	write_tags(&openapi);
	write_paths(&openapi);
	json_open_object(json, "components");
	write_security_schemes(&openapi);
	write_headers(&openapi);
	write_schemas(&openapi);
	json_close_object(json);
	json_close_object(json);
	return json_end(json, document);
}

void openapi_write_reference(
	struct openapi *openapi, const char *key, const char *kind, const char *name)
{
	json_open_object(&openapi->json, key);
	json_string(&openapi->json, "$ref",
		arena_format(openapi->arena, "#/components/%s/%s", kind, name));
	json_close_object(&openapi->json);
}

void openapi_write_type(struct openapi *openapi, const char *key, const char *type)
{
	json_open_object(&openapi->json, key);
	json_string(&openapi->json, "type", type);
	json_close_object(&openapi->json);
}
