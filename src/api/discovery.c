/* SPDX-License-Identifier: MIT */
/*
 * The document for verifiers. It has the members that are required, and says nothing that is not
 * so: where users log in, in the dialect's own words, is the authorization endpoint, and no
 * response to a request in the words of OAuth carries a code or a token. "none" is the registered
 * word for that (OAuth 2.0 Multiple Response Type Encoding Practices, section 4); an empty list must
 * not be sent (Discovery section 4.2).
 */
#include "api/discovery.h"

#include "api/router.h"
#include "base/json.h"

static void write_url(struct json_writer *json, struct arena *arena, const char *key,
	const struct settings *settings, const char *path)
{
	json_string(json, key, arena_format(arena, "%s%s", settings->api_base_url, path));
}

static void write_list(
	struct json_writer *json, const char *key, const char *const words[], size_t maximum)
{
	json_open_array(json, key);
	for (size_t i = 0; i < maximum && words[i]; i++)
		json_string(json, NULL, words[i]);
	json_close_array(json);
}

bool discovery_document(struct arena *arena, const struct settings *settings,
	const struct dialect *dialect, const char *const algorithms[ALGORITHM_COUNT],
	struct text *document)
{
	struct json_writer json;
	json_begin(&json, arena);
	json_open_object(&json, NULL);
	json_string(&json, "issuer", settings->tokens_issuer);
	write_url(&json, arena, "jwks_uri", settings, route_path(dialect, operation_jwks));
	write_url(&json, arena, "authorization_endpoint", settings,
		route_path(dialect, operation_login));
	write_list(&json, "response_types_supported", (const char *const[]){ "none" }, 1);
	write_list(&json, "subject_types_supported", (const char *const[]){ "public" }, 1);
	write_list(&json, "id_token_signing_alg_values_supported", algorithms, ALGORITHM_COUNT);
	json_close_object(&json);
	return json_end(&json, document);
}
