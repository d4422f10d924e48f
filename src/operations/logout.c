/* SPDX-License-Identifier: MIT */
/*
 * Log-out: ends the session of the access token, and that of a refresh token of the same user
 * that came along. Where no access token is asked for, the refresh token alone says which.
 */
#include "base/clock.h"
#include "operations/session.h"

enum outcome operation_logout(
	struct context *context, const struct input *input, struct output *output)
{
	struct refresh_claims refresh;
	bool refreshable = refresh_token_read(context->arena, context->keyring, context->settings,
		clock_now(), input->refresh_token, &refresh);
	if (!input->protected && !refreshable)
		return OUTCOME_INVALID_TOKEN;

	struct uuid user = input->protected ? input->claims.subject : refresh.subject;
	struct uuid session = input->protected ? input->claims.session : refresh.session;
	bool both = input->protected && refreshable && uuid_equal(user, refresh.subject);
	struct rows rows;
	enum store_result result = STORE_RUN(context->store, context->arena, STATEMENT_SESSION_END,
		&rows, bind_uuid(user), bind_uuid(session),
		both ? bind_uuid(refresh.session) : bind_text(TEXT_NONE),
		bind_text(context->client));
	if (result == STORE_NONE)
		return input->protected ? OUTCOME_UNAUTHORIZED : OUTCOME_INVALID_TOKEN;
	return result == STORE_ROWS ? OUTCOME_OK : session_failed(context, result, output);
}
