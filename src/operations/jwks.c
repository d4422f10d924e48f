/* SPDX-License-Identifier: MIT */
/* The public keys, for whoever verifies access tokens without asking here (RFC 7517). */
#include "operations/session.h"

enum outcome operation_jwks(
	struct context *context, const struct input *input, struct output *output)
{
	(void)input;
	if (!keyring_jwks(context->keyring, context->arena, &output->json))
		return session_broken(context, "the keys could not be written down");
	return OUTCOME_OK;
}
