/* SPDX-License-Identifier: MIT */
/*
 * Another verification mail. Whether there is an account, whether it is verified already, and
 * whether its mailbox has had enough: the answer is the same, and so is the work.
 */
#include "operations/letter_request.h"

enum outcome operation_resend(
	struct context *context, const struct input *input, struct output *output)
{
	const struct letter_request request = {
		.letter = TEXT("verify"),
		.limit = LIMIT_VERIFY,
		.lifetime = context->settings->links_verify_ttl,
	};
	return letter_request(context, &request, input->email, output);
}
