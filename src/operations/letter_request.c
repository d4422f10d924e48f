/* SPDX-License-Identifier: MIT */
/* What is done for a letter that somebody asks for: the same for every address. */
#include "operations/letter_request.h"

#include "operations/session.h"
#include "operations/values.h"
#include "tokens/onetime.h"

enum { WAIT, SPENT, KNOWN };

enum outcome letter_request(struct context *context, const struct letter_request *request,
	struct text email, struct output *output)
{
	struct text folded = value_folded(context->arena, email);
	struct onetime onetime = onetime_create(context->arena);
	struct text sealed;
	struct rows rows;
	if (!onetime_seal(context->arena, context->keyring, onetime.token, folded, &sealed))
		return session_broken(context, "no token was sealed");
	enum store_result result = STORE_RUN(context->store, context->arena, STATEMENT_MAIL_REQUEST,
		&rows, limit_bind(context, request->limit), bind_text(folded),
		bind_text(request->letter), bind_octets(onetime.digest, sizeof(onetime.digest)),
		bind_integer(request->lifetime), bind_text(sealed), bind_text(context->client),
		bind_boolean(request->reveals));
	if (result != STORE_ROWS)
		return session_failed(context, result, output);
	int64_t wait = rows_integer(&rows, 0, WAIT);
	if (wait > 0)
		return limit_refuse(context, request->limit, wait, output);
	limit_note_spent(context, request->limit, rows_boolean(&rows, 0, SPENT));
	return request->reveals && !rows_boolean(&rows, 0, KNOWN) ? OUTCOME_UNKNOWN_EMAIL
								  : OUTCOME_OK;
}
