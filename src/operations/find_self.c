/* SPDX-License-Identifier: MIT */
/* Who am I: the user of the access token, if its session lives. One statement. */
#include "operations/session.h"

enum outcome operation_find_self(
	struct context *context, const struct input *input, struct output *output)
{
	struct rows rows;
	enum store_result result = STORE_RUN(context->store, context->arena, STATEMENT_SESSION_USER,
		&rows, bind_uuid(input->claims.subject), bind_uuid(input->claims.session));
	if (result == STORE_NONE)
		return OUTCOME_UNAUTHORIZED;
	if (result != STORE_ROWS)
		return session_failed(context, result, output);
	output->user = session_user(&rows, 0);
	return OUTCOME_OK;
}
