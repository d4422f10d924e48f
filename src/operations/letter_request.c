/* SPDX-License-Identifier: MIT */
/* What is done for a letter that somebody asks for: the same for every address. */
#include "operations/letter_request.h"

#include "operations/session.h"
#include "operations/values.h"
#include "tokens/onetime.h"

enum outcome letter_request(struct context *context, const struct letter_request *request,
	struct text email, struct output *output)
{
	struct text folded = value_folded(context->arena, email);
	struct onetime onetime = onetime_create(context->arena);
	struct text sealed;
	if (!onetime_seal(context->arena, context->keyring, onetime.token, folded, &sealed))
		return session_broken(context, "no token was sealed");
	const struct mail_request_parameters parameters = {
		.limits = limit_keys(context, request->limit),
		.email = folded,
		.letter = request->letter,
		.digest = { (const char *)onetime.digest, sizeof(onetime.digest) },
		.token_lifetime = request->lifetime,
		.sealed_token = sealed,
		.client = context->client,
		.reveal = request->reveals,
	};
	struct mail_request_row row;
	enum store_result result =
		store_mail_request(context->store, context->arena, &parameters, &row);
	if (result != STORE_ROWS)
		return session_failed(context, result, output);
	if (row.wait > 0)
		return limit_refuse(context, request->limit, row.wait, output);
	limit_note_spent(context, request->limit, row.spent);
	return request->reveals && !row.known ? OUTCOME_UNKNOWN_EMAIL : OUTCOME_OK;
}
