/* SPDX-License-Identifier: MIT */
#include "command/generation.h"

#include <string.h>

#include "api/router.h"
#include "http/client.h"
#include "http/origin.h"
#include "mail/letter.h"
#include "mail/transport.h"
#include "store/conninfo.h"

static const char *check_api(const struct settings *settings, struct arena *arena)
{
	struct text url = text_of(settings->api_base_url);
	if (!dialect_find(text_of(settings->api_dialect)))
		return arena_format(
			arena, "api.dialect: there is no dialect %s", settings->api_dialect);
	if (url.length == 0)
		return "api.base_url is not set: the public URL of the mount, such as "
		       "https://www.example.com/api/auth";
	if (!text_starts_with(url, TEXT("http://")) && !text_starts_with(url, TEXT("https://")))
		return "api.base_url must begin with https:// or http://";
	if (text_find(url, '?') < url.length || text_find(url, '#') < url.length)
		return "api.base_url must end with its path: no ? and no #";
	return NULL;
}

/* A link that nobody set leads to where the dialect in force takes its token. */
static void complete_links(struct settings *settings, struct arena *arena)
{
	const struct dialect *dialect = dialect_find(text_of(settings->api_dialect));
	if (dialect && settings->links_reset[0] == '\0')
		settings->links_reset = route_link(arena, dialect, operation_reset);
}

const char *settings_check(const struct settings *settings, struct arena *arena)
{
	const char *wrong = check_api(settings, arena);
	if (!wrong)
		wrong = conninfo_check(settings->database_url);
	if (!wrong)
		wrong = client_check(settings->http_trusted_proxies, arena);
	if (!wrong)
		wrong = origin_check(settings, arena);
	if (!wrong)
		wrong = letter_check(settings, arena);
	if (!wrong)
		wrong = transport_of(settings)->check(settings, arena);
	return wrong;
}

const char *generation_open(
	struct generation *generation, const struct options *options, struct arena *errors)
{
	memset(generation, 0, sizeof(*generation));
	arena_init(&generation->arena);
	struct settings *settings = &generation->settings;
	const char *wrong = options_settings(options, &generation->arena, settings);
	if (!wrong)
		complete_links(settings, &generation->arena);
	if (!wrong)
		wrong = settings_check(settings, &generation->arena);
	if (!wrong)
		wrong = keyring_open(&generation->keyring, settings->tokens_keys,
			(enum algorithm)settings->tokens_algorithm, &generation->arena);
	if (!wrong)
		wrong = blocklist_open(
			&generation->blocklist, settings->passwords_blocklist, &generation->arena);
	if (!wrong)
		return NULL;
	wrong = settings_placed(settings, &generation->arena, wrong);
	wrong = arena_copy(errors, wrong, strlen(wrong));
	generation_close(generation);
	return wrong;
}

void generation_close(struct generation *generation)
{
	keyring_close(&generation->keyring);
	blocklist_close(&generation->blocklist);
	arena_finish(&generation->arena);
	memset(generation, 0, sizeof(*generation));
}
