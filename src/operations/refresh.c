/* SPDX-License-Identifier: MIT */
/*
 * Refresh (RFC 6749 section 6), with rotation and the detection of stolen tokens (RFC 9700
 * section 4.14). A token names its session and its generation; the session knows the present one.
 * The predecessor yields the same successor for a while, for tabs refresh at the same moment and
 * answers get lost. Whatever is older comes from somebody who should not have it.
 */
#include "base/clock.h"
#include "operations/session.h"

/* A use is written down when the one before is older than this (seconds): that write is all that a
 * refresh without rotation costs. A session may end as much earlier than sessions.idle says. */
static int64_t touch_after(const struct settings *settings)
{
	int64_t eighth = settings->sessions_idle / 8;
	return settings->sessions_idle > 0 && eighth < 3600 ? eighth : 3600;
}

static void log_reuse(const struct context *context)
{
	log_warning(
		context->log, "refresh_token_reused", "client=%.*s", TEXT_PRINTF(context->client));
}

static enum outcome rotate(
	struct context *context, const struct refresh_claims *claims, struct output *output)
{
	const struct session_rotate_parameters parameters = {
		.user_id = claims->subject,
		.session_id = claims->session,
		.generation = claims->generation,
		.grace = context->settings->sessions_grace,
		.session_idle = context->settings->sessions_idle,
		.client = context->client,
	};
	struct session_rotate_row row;
	enum store_result result =
		store_session_rotate(context->store, context->arena, &parameters, &row);
	if (result == STORE_NONE)
		return OUTCOME_INVALID_TOKEN;
	if (result != STORE_ROWS)
		return session_failed(context, result, output);
	if (row.stolen) {
		log_reuse(context);
		return OUTCOME_INVALID_TOKEN;
	}
	struct session session = {
		.user = claims->subject,
		.id = claims->session,
		.generation = row.generation,
		.issued_at = row.rotated_at,
		.expires_at = row.expires_at,
	};
	enum outcome outcome = session_access_token(context, &session, output);
	return outcome == OUTCOME_OK ? session_refresh_token(context, &session, output) : outcome;
}

static enum outcome end_stolen(struct context *context, const struct refresh_claims *claims,
	int64_t user_pk, struct output *output)
{
	log_reuse(context);
	const struct session_stolen_parameters parameters = {
		.user_pk = user_pk,
		.session_id = claims->session,
		.client = context->client,
	};
	enum store_result result =
		store_session_stolen(context->store, context->arena, &parameters);
	return result == STORE_NONE ? OUTCOME_INVALID_TOKEN
				    : session_failed(context, result, output);
}

/* The present token was used: its predecessor is honoured no longer. */
static enum outcome note_use(struct context *context, const struct session *session,
	int64_t user_pk, struct output *output)
{
	const struct session_touch_parameters parameters = {
		.user_pk = user_pk,
		.session_id = session->id,
		.generation = session->generation,
		.session_idle = context->settings->sessions_idle,
	};
	enum store_result result = store_session_touch(context->store, context->arena, &parameters);
	return result == STORE_NONE ? OUTCOME_OK : session_failed(context, result, output);
}

/* Without rotation nothing is written but a rarely touched moment, or that the successor of an
 * earlier rotation is in use. A predecessor from that time yields its successor here too: with
 * nothing but the old token its client would look like a thief when the grace is over. */
static enum outcome keep(
	struct context *context, const struct refresh_claims *claims, struct output *output)
{
	const struct session_refresh_parameters parameters = {
		.user_id = claims->subject,
		.session_id = claims->session,
		.touch_after = touch_after(context->settings),
	};
	struct session_refresh_row row;
	enum store_result result =
		store_session_refresh(context->store, context->arena, &parameters, &row);
	if (result == STORE_NONE)
		return OUTCOME_INVALID_TOKEN;
	if (result != STORE_ROWS)
		return session_failed(context, result, output);

	struct session session = {
		.user = claims->subject,
		.id = claims->session,
		.generation = row.generation,
		.issued_at = row.rotated_at,
		.expires_at = row.expires_at,
	};
	bool present = claims->generation == session.generation;
	bool predecessor = row.in_grace && claims->generation + 1 == session.generation;
	if (!present && !predecessor)
		return end_stolen(context, claims, row.user_pk, output);
	enum outcome outcome = OUTCOME_OK;
	if (predecessor)
		outcome = session_refresh_token(context, &session, output);
	else if (row.in_grace || row.stale)
		outcome = note_use(context, &session, row.user_pk, output);
	return outcome == OUTCOME_OK ? session_access_token(context, &session, output) : outcome;
}

enum outcome operation_refresh(
	struct context *context, const struct input *input, struct output *output)
{
	struct refresh_claims claims;
	if (!refresh_token_read(context->arena, context->keyring, context->settings, clock_now(),
		    input->refresh_token, &claims))
		return OUTCOME_INVALID_TOKEN;
	return input->rotates ? rotate(context, &claims, output) : keep(context, &claims, output);
}
