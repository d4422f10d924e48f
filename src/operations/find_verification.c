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
	struct rows rows;
	enum store_result result = STORE_RUN(context->store, context->arena,
		STATEMENT_VERIFICATION_FIND, &rows, bind_octets(digest, sizeof(digest)));
	if (result == STORE_NONE)
		return OUTCOME_INVALID_ONE_TIME_TOKEN;
	return result == STORE_ROWS ? OUTCOME_OK : session_failed(context, result, output);
}
