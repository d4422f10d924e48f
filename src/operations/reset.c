/* SPDX-License-Identifier: MIT */
/*
 * A password is set with the token of a reset mail. A token that is worth nothing costs a look
 * but no hash, and so does a password that is weak for the account, which leaves the token unused; of
 * two that come at once exactly one is used up by the second statement.
 */
#include "operations/limits.h"
#include "operations/session.h"
#include "operations/weak.h"
#include "tokens/onetime.h"

enum { COLUMN_WAIT, COLUMN_TAKEN, COLUMN_FOUND, COLUMN_EMAIL, COLUMN_USERNAME };

static enum outcome refuse(struct output *output, size_t member, const char *reason)
{
	output->invalid_member = member;
	output->invalid_reason = reason;
	return OUTCOME_INVALID_INPUT;
}

/* OK where the digest is that of a living reset token, and the password fits the account. *taken is
 * the try, where the token is right. */
static enum outcome find(struct context *context, struct bind digest, struct text password,
	struct text *taken, struct output *output)
{
	struct rows rows;
	enum store_result result = STORE_RUN(context->store, context->arena, STATEMENT_RESET_FIND,
		&rows, limit_bind(context, LIMIT_RESET_CONFIRM), digest);
	if (result != STORE_ROWS)
		return session_failed(context, result, output);
	int64_t wait = rows_integer(&rows, 0, COLUMN_WAIT);
	if (wait > 0)
		return limit_refuse(context, LIMIT_RESET_CONFIRM, wait, output);
	if (!rows_boolean(&rows, 0, COLUMN_FOUND))
		return OUTCOME_INVALID_ONE_TIME_TOKEN;
	*taken = rows_text(&rows, 0, COLUMN_TAKEN);
	const char *weak = weak_for_account(context->settings, password,
		rows_text(&rows, 0, COLUMN_EMAIL), rows_text(&rows, 0, COLUMN_USERNAME));
	return weak ? refuse(output, offsetof(struct input, new_password), weak) : OUTCOME_OK;
}

enum outcome operation_reset(
	struct context *context, const struct input *input, struct output *output)
{
	if (text_is_given(input->confirm_password) &&
		!text_equal(input->new_password, input->confirm_password))
		return refuse(output, offsetof(struct input, confirm_password),
			"The two passwords differ.");
	unsigned char digest[SHA256_SIZE];
	if (!onetime_digest(context->arena, input->one_time_token, digest))
		return OUTCOME_INVALID_ONE_TIME_TOKEN;
	struct bind digest_bind = bind_octets(digest, sizeof(digest));
	struct text taken = TEXT_NONE;
	struct text phc;
	enum outcome outcome = find(context, digest_bind, input->new_password, &taken, output);
	if (outcome == OUTCOME_OK)
		outcome = session_hash(context, input->new_password, &phc, output);
	if (outcome != OUTCOME_OK) {
		limit_return(context, taken);
		return outcome;
	}
	struct rows rows;
	enum store_result result =
		STORE_RUN(context->store, context->arena, STATEMENT_RESET_CONFIRM, &rows,
			digest_bind, bind_text(phc), bind_text(context->client), bind_text(taken));
	if (result == STORE_NONE)
		return OUTCOME_INVALID_ONE_TIME_TOKEN;
	return result == STORE_ROWS ? OUTCOME_OK : session_failed(context, result, output);
}
