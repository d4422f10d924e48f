/* SPDX-License-Identifier: MIT */
/*
 * Claims in and out. The key says which algorithm holds and the use says which typ (RFC 8725
 * sections 3.1 and 3.11), so what is left to read here is what the token is about.
 */
#include "tokens/claims.h"

#include "base/json.h"

#define ACCESS_TYPE "at+jwt"
#define REFRESH_TYPE "rt+jwt"

/* A clock may be this much behind another's (seconds). */
#define CLOCK_SKEW 60

static void write_uuid(struct json_writer *json, const char *key, struct uuid uuid)
{
	char text[UUID_TEXT_SIZE];
	uuid_print(uuid, text);
	json_string(json, key, text);
}

bool access_token_issue(struct arena *arena, const struct keyring *keyring,
	const struct settings *settings, const struct access_claims *claims, struct text *token)
{
	struct json_writer json;
	struct text payload;
	json_begin(&json, arena);
	json_open_object(&json, NULL);
	json_string(&json, "iss", settings->tokens_issuer);
	json_string(&json, "aud", settings->tokens_audience);
	json_string(&json, "client_id", settings->tokens_client_id);
	write_uuid(&json, "sub", claims->subject);
	write_uuid(&json, "sid", claims->session);
	write_uuid(&json, "jti", claims->token);
	json_integer(&json, "iat", claims->issued_at);
	json_integer(&json, "exp", claims->expires_at);
	json_close_object(&json);
	return json_end(&json, &payload) &&
	       jws_sign(arena, keyring->current, ACCESS_TYPE, payload, token);
}

bool refresh_token_issue(struct arena *arena, const struct keyring *keyring,
	const struct settings *settings, const struct refresh_claims *claims, struct text *token)
{
	struct json_writer json;
	struct text payload;
	json_begin(&json, arena);
	json_open_object(&json, NULL);
	json_string(&json, "iss", settings->tokens_issuer);
	write_uuid(&json, "sub", claims->subject);
	write_uuid(&json, "sid", claims->session);
	json_integer(&json, "gen", claims->generation);
	json_integer(&json, "iat", claims->issued_at);
	json_integer(&json, "exp", claims->expires_at);
	json_close_object(&json);
	return json_end(&json, &payload) &&
	       jws_sign_refresh(arena, keyring->current, REFRESH_TYPE, payload, token);
}

static bool read_uuid(const struct json_object *claims, const char *name, struct uuid *uuid)
{
	const struct json_member *member = json_find(claims, text_of(name));
	return member && member->type == JSON_STRING && uuid_parse(member->value, uuid);
}

static bool read_integer(const struct json_object *claims, const char *name, int64_t *integer)
{
	const struct json_member *member = json_find(claims, text_of(name));
	long long value;
	if (!member || member->type != JSON_NUMBER || !text_integer(member->value, &value))
		return false;
	*integer = value;
	return true;
}

static bool says(const struct json_object *claims, const char *name, const char *expected)
{
	const struct json_member *member = json_find(claims, text_of(name));
	return member && member->type == JSON_STRING &&
	       text_equal(member->value, text_of(expected));
}

/* RFC 7519 section 4.1.5. Tokens of this service have no nbf; one that has must be right. */
static bool has_begun(const struct json_object *claims, int64_t now)
{
	int64_t not_before;
	return !json_find(claims, TEXT("nbf")) ||
	       (read_integer(claims, "nbf", &not_before) && not_before <= now);
}

/* What both kinds have in common: issuer and times. */
static bool read_common(struct arena *arena, const struct settings *settings, int64_t now,
	struct text payload, struct json_object *claims, int64_t *issued_at, int64_t *expires_at)
{
	const char *reason;
	return json_read(arena, payload, claims, &reason) &&
	       says(claims, "iss", settings->tokens_issuer) && has_begun(claims, now) &&
	       read_integer(claims, "iat", issued_at) && *issued_at <= now + CLOCK_SKEW &&
	       read_integer(claims, "exp", expires_at) && *expires_at > now;
}

bool access_token_read(struct arena *arena, const struct keyring *keyring,
	const struct settings *settings, int64_t now, struct text token,
	struct access_claims *claims)
{
	struct access_claims read;
	struct json_object object;
	struct text payload;
	if (!text_is_given(token) || !jws_verify(arena, keyring, ACCESS_TYPE, token, &payload) ||
		!read_common(arena, settings, now, payload, &object, &read.issued_at,
			&read.expires_at) ||
		!says(&object, "aud", settings->tokens_audience) ||
		!read_uuid(&object, "sub", &read.subject) ||
		!read_uuid(&object, "sid", &read.session) ||
		!read_uuid(&object, "jti", &read.token))
		return false;
	*claims = read;
	return true;
}

bool refresh_token_read(struct arena *arena, const struct keyring *keyring,
	const struct settings *settings, int64_t now, struct text token,
	struct refresh_claims *claims)
{
	struct refresh_claims read;
	struct json_object object;
	struct text payload;
	if (!text_is_given(token) ||
		!jws_verify_refresh(arena, keyring, REFRESH_TYPE, token, &payload) ||
		!read_common(arena, settings, now, payload, &object, &read.issued_at,
			&read.expires_at) ||
		!read_uuid(&object, "sub", &read.subject) ||
		!read_uuid(&object, "sid", &read.session) ||
		!read_integer(&object, "gen", &read.generation))
		return false;
	*claims = read;
	return true;
}
