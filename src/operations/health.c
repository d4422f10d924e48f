/* SPDX-License-Identifier: MIT */
/* Whether the service can serve: the database answers. */
#include "operations/session.h"

enum outcome operation_health(
	struct context *context, const struct input *input, struct output *output)
{
	(void)input;
	struct rows rows;
	enum store_result result =
		store_run(context->store, context->arena, STATEMENT_HEALTH, NULL, 0, &rows);
	return result == STORE_ROWS ? OUTCOME_OK : session_busy(output);
}
