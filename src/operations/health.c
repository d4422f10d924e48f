/* SPDX-License-Identifier: MIT */
/* Whether the service can serve: the database answers. */
#include "operations/session.h"

enum outcome operation_health(
	struct context *context, const struct input *input, struct output *output)
{
	(void)input;
	struct health_row row;
	enum store_result result = store_health(context->store, context->arena, &row);
	return result == STORE_ROWS ? OUTCOME_OK : session_busy(output);
}
