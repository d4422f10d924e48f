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

static enum outcome refuse(struct output *output, size_t member, const char *reason)
{
	output->invalid_member = member;
	output->invalid_reason = reason;
	return OUTCOME_INVALID_INPUT;
}

/* OK where the digest is that of a living reset token, and the password fits the account. *taken is
 * the try, where the token is right. */
static enum outcome find(struct context *context, struct text digest, struct text password,
	struct text *taken, struct output *output)
{
	const struct reset_find_parameters parameters = {
		.limits = limit_keys(context, LIMIT_RESET_CONFIRM),
		.digest = digest,
	};
	struct reset_find_row row;
	enum store_result result =
		store_reset_find(context->store, context->arena, &parameters, &row);
	if (result != STORE_ROWS)
		return session_failed(context, result, output);
	if (row.wait > 0)
		return limit_refuse(context, LIMIT_RESET_CONFIRM, row.wait, output);
	if (!row.found)
		return OUTCOME_INVALID_ONE_TIME_TOKEN;
	*taken = row.taken;
	const char *weak = weak_for_account(context->settings, password, row.email, row.username);
	return weak ? refuse(output, offsetof(struct input, new_password), weak) : OUTCOME_OK;
}

enum outcome operation_reset(
	struct context *context, const struct input *input, struct output *output)
{
	if (text_is_given(input->confirm_password) &&
		!text_equal(input->new_password, input->confirm_password))
		return refuse(output, offsetof(struct input, confirm_password),
			"The two passwords differ.");
	unsigned char octets[SHA256_SIZE];
	if (!onetime_digest(context->arena, input->one_time_token, octets))
		return OUTCOME_INVALID_ONE_TIME_TOKEN;
	struct text digest = { (const char *)octets, sizeof(octets) };
	struct text taken = TEXT_NONE;
	struct text phc;
	enum outcome outcome = find(context, digest, input->new_password, &taken, output);
	if (outcome == OUTCOME_OK)
		outcome = session_hash(context, input->new_password, &phc, output);
	if (outcome != OUTCOME_OK) {
		limit_return(context, taken);
		return outcome;
	}
	const struct reset_confirm_parameters parameters = {
		.digest = digest,
		.password_hash = phc,
		.client = context->client,
		.taken = taken,
	};
	struct reset_confirm_row row;
	enum store_result result =
		store_reset_confirm(context->store, context->arena, &parameters, &row);
	if (result == STORE_NONE)
		return OUTCOME_INVALID_ONE_TIME_TOKEN;
	return result == STORE_ROWS ? OUTCOME_OK : session_failed(context, result, output);
}
