/* SPDX-License-Identifier: MIT */
#include "operations/session.h"

#include "base/clock.h"
#include "passwords/argon2.h"

/* Others verify the token on their own, so it must not outlive the session, used or not. */
static int64_t access_token_end(
	const struct settings *settings, const struct session *session, int64_t now)
{
	int64_t life = settings->tokens_access_ttl;
	if (settings->sessions_idle > 0 && settings->sessions_idle < life)
		life = settings->sessions_idle;
	return now + life < session->expires_at ? now + life : session->expires_at;
}

enum outcome session_access_token(
	struct context *context, const struct session *session, struct output *output)
{
	int64_t now = clock_now();
	struct access_claims claims = {
		.subject = session->user,
		.session = session->id,
		.token = uuid_random(),
		.issued_at = now,
		.expires_at = access_token_end(context->settings, session, now),
	};
	if (!access_token_issue(context->arena, context->keyring, context->settings, &claims,
		    &output->access_token))
		return session_broken(context, "no access token was signed");
	return OUTCOME_OK;
}

enum outcome session_refresh_token(
	struct context *context, const struct session *session, struct output *output)
{
	struct refresh_claims claims = {
		.subject = session->user,
		.session = session->id,
		.generation = session->generation,
		.issued_at = session->issued_at,
		.expires_at = session->expires_at,
	};
	if (!refresh_token_issue(context->arena, context->keyring, context->settings, &claims,
		    &output->refresh_token))
		return session_broken(context, "no refresh token was signed");
	output->refresh_token_lifetime = session->expires_at - clock_now();
	return OUTCOME_OK;
}

enum outcome session_failed(
	const struct context *context, enum store_result result, struct output *output)
{
	if (result == STORE_AWAY)
		return session_busy(output);
	if (result == STORE_FAILED)
		return OUTCOME_INTERNAL_ERROR;
	return session_broken(context, "a statement gave what it never gives");
}

enum outcome session_broken(const struct context *context, const char *what)
{
	log_error(context->log, "operation_failed", "client=%.*s %s", TEXT_PRINTF(context->client),
		what);
	return OUTCOME_INTERNAL_ERROR;
}

enum outcome session_busy(struct output *output)
{
	output->retry_after = 1;
	return OUTCOME_UNAVAILABLE;
}

static struct password_cost cost(const struct context *context)
{
	return (struct password_cost){
		.memory = (uint32_t)context->settings->passwords_memory,
		.passes = (uint32_t)context->settings->passwords_passes,
	};
}

/* Whoever comes back after two seconds finds those gone who wait now. */
static enum outcome hashers_are_busy(const struct context *context, struct output *output)
{
	enum outcome outcome = session_busy(output);
	log_warning(context->log, "hashers_busy", "client=%.*s", TEXT_PRINTF(context->client));
	output->retry_after = 2;
	return outcome;
}

enum outcome session_hash(
	struct context *context, struct text password, struct text *phc, struct output *output)
{
	switch (password_hash(context->arena, context->hashing, cost(context), password, phc)) {
	case HASH_DONE:
		return OUTCOME_OK;
	case HASH_BUSY:
		return hashers_are_busy(context, output);
	case HASH_FAILED:
		break;
	}
	log_error(
		context->log, "no_memory_to_hash", "kib=%ld", context->settings->passwords_memory);
	return session_busy(output);
}

enum outcome session_verify(struct context *context, struct text phc, struct text password,
	bool *matches, struct output *output)
{
	enum password_match match =
		password_verify(context->arena, context->hashing, cost(context), phc, password);
	if (match == PASSWORD_BUSY)
		return hashers_are_busy(context, output);
	if (match == PASSWORD_UNREADABLE) { /* or no memory to read it with */
		log_error(context->log, "password_hash_unreadable", "client=%.*s",
			TEXT_PRINTF(context->client));
		return session_busy(output);
	}
	*matches = match == PASSWORD_MATCHES;
	return OUTCOME_OK;
}

bool caller_read(struct context *context, struct text access_token, struct input *input)
{
	input->protected = claims_cache_read(context->tokens, context->arena, context->keyring,
		context->settings, clock_now(), access_token, &input->claims);
	return input->protected;
}
