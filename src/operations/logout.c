/* SPDX-License-Identifier: MIT */
/*
 * Log-out. An access token that is needed names the session that ends, and a refresh token of the
 * same user may name another. Where either token is enough, each ends its own session, whoever's it
 * is: who has the token could use the session. A refresh token of any generation will do, for theft
 * would end the session too.
 */
#include "base/clock.h"
#include "operations/session.h"

/* A session that a token names. */
struct named {
	struct uuid user;
	struct uuid session;
};

/* other: a second session of the same user, or the nil UUID. refused: what to say where the session is
 * dead already. */
static enum outcome end(struct context *context, const struct named *named, struct uuid other,
	enum outcome refused, struct output *output)
{
	const struct session_end_parameters parameters = {
		.user_id = named->user,
		.session_id = named->session,
		.other_session_id = other,
		.client = context->client,
	};
	struct session_end_row row;
	enum store_result result =
		store_session_end(context->store, context->arena, &parameters, &row);
	if (result == STORE_NONE)
		return refused;
	return result == STORE_ROWS ? OUTCOME_OK : session_failed(context, result, output);
}

/* Ends what lives of the sessions, and is refused where none does. Both tokens mostly name the same
 * one; two are two statements, for they may be of two users. */
static enum outcome end_each(struct context *context, const struct named *named, size_t count,
	enum outcome refused, struct output *output)
{
	enum outcome outcome = refused;
	for (size_t i = 0; i < count; i++) {
		enum outcome one = end(context, &named[i], (struct uuid){ 0 }, refused, output);
		if (one != OUTCOME_OK && one != refused)
			return one;
		if (one == OUTCOME_OK)
			outcome = OUTCOME_OK;
	}
	return outcome;
}

enum outcome operation_logout(
	struct context *context, const struct input *input, struct output *output)
{
	struct refresh_claims claims = { 0 };
	bool refreshable = refresh_token_read(context->arena, context->keyring, context->settings,
		clock_now(), input->refresh_token, &claims);
	struct named access = { input->claims.subject, input->claims.session };
	struct named refresh = { claims.subject, claims.session };
	bool same_user = input->protected && refreshable && uuid_equal(access.user, refresh.user);
	bool same = same_user && uuid_equal(access.session, refresh.session);

	if (!input->either_token && input->protected)
		return end(context, &access, same_user ? refresh.session : (struct uuid){ 0 },
			OUTCOME_UNAUTHORIZED, output);
	struct named named[2];
	size_t count = 0;
	if (input->protected)
		named[count++] = access;
	if (refreshable && !same)
		named[count++] = refresh;
	bool about_refresh = !input->protected && text_is_given(input->refresh_token);
	return end_each(context, named, count,
		about_refresh ? OUTCOME_INVALID_TOKEN : OUTCOME_UNAUTHORIZED, output);
}
