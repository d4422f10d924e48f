/* SPDX-License-Identifier: MIT */
#include "operations/letter_request.h"

#include "operations/session.h"
#include "operations/values.h"
#include "tokens/onetime.h"

enum { WAIT, SPENT };

enum outcome letter_request(struct context *context, enum statement statement, enum limit limit,
	long lifetime, struct text email, struct rows *rows, struct output *output)
{
	struct text folded = value_folded(context->arena, email);
	struct onetime onetime = onetime_create(context->arena);
	struct text sealed;
	if (!onetime_seal(context->arena, context->keyring, onetime.token, folded, &sealed))
		return session_broken(context, "no token was sealed");
	enum store_result result = STORE_RUN(context->store, context->arena, statement, rows,
		limit_bind(context, limit), bind_text(folded),
		bind_octets(onetime.digest, sizeof(onetime.digest)), bind_integer(lifetime),
		bind_text(sealed), bind_text(context->client));
	if (result != STORE_ROWS)
		return session_failed(context, result, output);
	int64_t wait = rows_integer(rows, 0, WAIT);
	if (wait > 0)
		return limit_refuse(context, limit, wait, output);
	limit_note_spent(context, limit, rows_boolean(rows, 0, SPENT));
	return OUTCOME_OK;
}
