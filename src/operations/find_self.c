/* SPDX-License-Identifier: MIT */
/* Who am I: the user of the access token, if its session lives. One statement. */
#include "operations/session.h"

enum outcome operation_find_self(
	struct context *context, const struct input *input, struct output *output)
{
	const struct session_user_parameters parameters = {
		.user_id = input->claims.subject,
		.session_id = input->claims.session,
	};
	struct session_user_row row;
	enum store_result result =
		store_session_user(context->store, context->arena, &parameters, &row);
	if (result == STORE_NONE)
		return OUTCOME_UNAUTHORIZED;
	if (result != STORE_ROWS)
		return session_failed(context, result, output);
	output->user = USER_OF(row);
	return OUTCOME_OK;
}
