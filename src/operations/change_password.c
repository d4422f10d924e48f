/* SPDX-License-Identifier: MIT */
/*
 * Who is logged in changes the password. The present one is asked for again, and counted like a
 * log-in: a stolen access token must not be enough to try passwords with.
 */
#include "operations/limits.h"
#include "operations/session.h"
#include "operations/weak.h"

static enum outcome find(struct context *context, const struct input *input,
	struct password_find_row *account, struct output *output)
{
	const struct password_find_parameters parameters = {
		.limits = limit_keys(context, LIMIT_LOGIN),
		.network = limit_network(context),
		.user_id = input->claims.subject,
		.session_id = input->claims.session,
	};
	enum store_result result =
		store_password_find(context->store, context->arena, &parameters, account);
	if (result == STORE_NONE)
		return OUTCOME_UNAUTHORIZED;
	if (result != STORE_ROWS)
		return session_failed(context, result, output);
	return account->wait > 0 ? limit_refuse(context, LIMIT_LOGIN, account->wait, output)
				 : OUTCOME_OK;
}

/* OK where the new password fits the account: there is nothing to verify for one that does not. */
static enum outcome check(const struct context *context, const struct password_find_row *account,
	struct text password, struct output *output)
{
	const char *weak =
		weak_for_account(context->settings, password, account->email, account->username);
	output->invalid_member = offsetof(struct input, new_password);
	output->invalid_reason = weak;
	return weak ? OUTCOME_INVALID_INPUT : OUTCOME_OK;
}

enum outcome operation_change_password(
	struct context *context, const struct input *input, struct output *output)
{
	struct password_find_row account;
	enum outcome outcome = find(context, input, &account, output);
	if (outcome != OUTCOME_OK)
		return outcome;
	bool matches = false;
	outcome = check(context, &account, input->new_password, output);
	if (outcome == OUTCOME_OK)
		outcome = session_verify(
			context, account.password_hash, input->current_password, &matches, output);
	if (outcome == OUTCOME_OK && !matches)
		return OUTCOME_INCORRECT_PASSWORD;
	struct text new_hash;
	if (outcome == OUTCOME_OK)
		outcome = session_hash(context, input->new_password, &new_hash, output);
	if (outcome != OUTCOME_OK) {
		limit_return(context, account.taken);
		return outcome;
	}
	const struct password_change_parameters parameters = {
		.user_id = input->claims.subject,
		.session_id = input->claims.session,
		.credential_version = account.credential_version,
		.password_hash = new_hash,
		.client = context->client,
		.taken = account.taken,
	};
	struct password_change_row change;
	enum store_result result =
		store_password_change(context->store, context->arena, &parameters, &change);
	if (result == STORE_NONE) /* the session ended since the password was verified */
		return OUTCOME_UNAUTHORIZED;
	if (result != STORE_ROWS)
		return session_failed(context, result, output);
	/* else this session changed it by another request since it was verified */
	return change.changed ? OUTCOME_OK : OUTCOME_INCORRECT_PASSWORD;
}
