/* SPDX-License-Identifier: MIT */
/* Whether the link of a verification mail would verify, without doing so: mail scanners and previews
 * ask for the head of a link before anybody opens it. */
#include "operations/session.h"
#include "tokens/onetime.h"

enum outcome operation_find_verification(
	struct context *context, const struct input *input, struct output *output)
{
	unsigned char digest[SHA256_SIZE];
	if (!onetime_digest(context->arena, input->one_time_token, digest))
		return OUTCOME_INVALID_ONE_TIME_TOKEN;
	const struct verification_find_parameters parameters = {
		.digest = { (const char *)digest, sizeof(digest) },
	};
	struct verification_find_row row;
	enum store_result result =
		store_verification_find(context->store, context->arena, &parameters, &row);
	if (result == STORE_NONE)
		return OUTCOME_INVALID_ONE_TIME_TOKEN;
	return result == STORE_ROWS ? OUTCOME_OK : session_failed(context, result, output);
}
