/* SPDX-License-Identifier: MIT */
/* The link of a verification mail was opened. The same link again is answered alike. */
#include "operations/session.h"
#include "tokens/onetime.h"

enum outcome operation_verify(
	struct context *context, const struct input *input, struct output *output)
{
	unsigned char digest[SHA256_SIZE];
	if (!onetime_digest(context->arena, input->one_time_token, digest))
		return OUTCOME_INVALID_ONE_TIME_TOKEN;
	const struct email_verify_parameters parameters = {
		.digest = { (const char *)digest, sizeof(digest) },
		.client = context->client,
	};
	struct email_verify_row row;
	enum store_result result =
		store_email_verify(context->store, context->arena, &parameters, &row);
	if (result == STORE_NONE)
		return OUTCOME_INVALID_ONE_TIME_TOKEN;
	return result == STORE_ROWS ? OUTCOME_OK : session_failed(context, result, output);
}
