/* SPDX-License-Identifier: MIT */
/*
 * A reset mail is asked for (OWASP Forgot Password Cheat Sheet). The work is the same whether or not
 * there is an account. Two descriptions document a 404; only where they are served is that looked up.
 */
#include "operations/letter_request.h"

enum outcome operation_forgot(
	struct context *context, const struct input *input, struct output *output)
{
	const struct letter_request request = {
		.letter = TEXT("reset"),
		.limit = LIMIT_RESET,
		.lifetime = context->settings->links_reset_ttl,
		.reveals = input->reveals_existence,
	};
	return letter_request(context, &request, input->email, output);
}
