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
	enum { GENERATION, ROTATED_AT, EXPIRES_AT, STOLEN };
	struct rows rows;
	enum store_result result = STORE_RUN(context->store, context->arena,
		STATEMENT_SESSION_ROTATE, &rows, bind_uuid(claims->subject),
		bind_uuid(claims->session), bind_integer(claims->generation),
		bind_integer(context->settings->sessions_grace),
		bind_integer(context->settings->sessions_idle), bind_text(context->client));
	if (result == STORE_NONE)
		return OUTCOME_INVALID_TOKEN;
	if (result != STORE_ROWS)
		return session_failed(context, result, output);
	if (rows_boolean(&rows, 0, STOLEN)) {
		log_reuse(context);
		return OUTCOME_INVALID_TOKEN;
	}
	struct session session = {
		.user = claims->subject,
		.id = claims->session,
		.generation = rows_integer(&rows, 0, GENERATION),
		.issued_at = rows_integer(&rows, 0, ROTATED_AT),
		.expires_at = rows_integer(&rows, 0, EXPIRES_AT),
	};
	enum outcome outcome = session_access_token(context, &session, output);
	return outcome == OUTCOME_OK ? session_refresh_token(context, &session, output) : outcome;
}

static enum outcome end_stolen(struct context *context, const struct refresh_claims *claims,
	int64_t user_pk, struct output *output)
{
	log_reuse(context);
	struct rows rows;
	enum store_result result = STORE_RUN(context->store, context->arena,
		STATEMENT_SESSION_STOLEN, &rows, bind_integer(user_pk), bind_uuid(claims->session),
		bind_text(context->client));
	return result == STORE_NONE ? OUTCOME_INVALID_TOKEN
				    : session_failed(context, result, output);
}

/* The present token was used: its predecessor is honoured no longer. */
static enum outcome note_use(struct context *context, const struct session *session,
	int64_t user_pk, struct output *output)
{
	struct rows rows;
	enum store_result result = STORE_RUN(context->store, context->arena,
		STATEMENT_SESSION_TOUCH, &rows, bind_integer(user_pk), bind_uuid(session->id),
		bind_integer(session->generation), bind_integer(context->settings->sessions_idle));
	return result == STORE_NONE ? OUTCOME_OK : session_failed(context, result, output);
}

/* Without rotation nothing is written but a rarely touched moment, or that the successor of an
 * earlier rotation is in use. A predecessor from that time yields its successor here too: with
 * nothing but the old token its client would look like a thief when the grace is over. */
static enum outcome keep(
	struct context *context, const struct refresh_claims *claims, struct output *output)
{
	enum { GENERATION, ROTATED_AT, IN_GRACE, EXPIRES_AT, STALE, USER_PK };
	struct rows rows;
	enum store_result result = STORE_RUN(context->store, context->arena,
		STATEMENT_SESSION_REFRESH, &rows, bind_uuid(claims->subject),
		bind_uuid(claims->session), bind_integer(touch_after(context->settings)));
	if (result == STORE_NONE)
		return OUTCOME_INVALID_TOKEN;
	if (result != STORE_ROWS)
		return session_failed(context, result, output);

	struct session session = {
		.user = claims->subject,
		.id = claims->session,
		.generation = rows_integer(&rows, 0, GENERATION),
		.issued_at = rows_integer(&rows, 0, ROTATED_AT),
		.expires_at = rows_integer(&rows, 0, EXPIRES_AT),
	};
	int64_t user_pk = rows_integer(&rows, 0, USER_PK);
	bool in_grace = rows_boolean(&rows, 0, IN_GRACE);
	bool present = claims->generation == session.generation;
	bool predecessor = in_grace && claims->generation + 1 == session.generation;
	if (!present && !predecessor)
		return end_stolen(context, claims, user_pk, output);
	enum outcome outcome = OUTCOME_OK;
	if (predecessor)
		outcome = session_refresh_token(context, &session, output);
	else if (in_grace || rows_boolean(&rows, 0, STALE))
		outcome = note_use(context, &session, user_pk, output);
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
