/* SPDX-License-Identifier: MIT */
/*
 * A reset mail is asked for (OWASP Forgot Password Cheat Sheet). A token is made and sealed, a
 * statement written and committed, whether or not there is an account. Two descriptions document
 * a 404; only where they are served so does the outcome tell.
 */
#include "operations/letter_request.h"

enum outcome operation_forgot(
	struct context *context, const struct input *input, struct output *output)
{
	struct rows rows;
	enum outcome outcome = letter_request(context, STATEMENT_RESET_REQUEST, LIMIT_RESET,
		context->settings->links_reset_ttl, input->email, &rows, output);
	if (outcome != OUTCOME_OK)
		return outcome;
	bool known = rows_boolean(&rows, 0, 2);
	return known || !input->reveals_existence ? OUTCOME_OK : OUTCOME_UNKNOWN_EMAIL;
}
