/* SPDX-License-Identifier: MIT */
/*
 * Who is logged in changes the password. The present one is asked for again, and counted like a
 * log-in: a stolen access token must not be enough to try passwords with.
 */
#include "operations/limits.h"
#include "operations/session.h"
#include "operations/weak.h"

enum { COLUMN_WAIT, COLUMN_TAKEN, COLUMN_HASH, COLUMN_VERSION, COLUMN_EMAIL, COLUMN_USERNAME };

static enum outcome find(struct context *context, const struct input *input, struct rows *rows,
	struct output *output)
{
	enum store_result result =
		STORE_RUN(context->store, context->arena, STATEMENT_PASSWORD_FIND, rows,
			limit_bind(context, LIMIT_LOGIN), limit_network(context),
			bind_uuid(input->claims.subject), bind_uuid(input->claims.session));
	if (result == STORE_NONE)
		return OUTCOME_UNAUTHORIZED;
	if (result != STORE_ROWS)
		return session_failed(context, result, output);
	int64_t wait = rows_integer(rows, 0, COLUMN_WAIT);
	return wait > 0 ? limit_refuse(context, LIMIT_LOGIN, wait, output) : OUTCOME_OK;
}

/* OK where the new password fits the account: there is nothing to verify for one that does not. */
static enum outcome check(const struct context *context, const struct rows *rows,
	struct text password, struct output *output)
{
	const char *weak = weak_for_account(context->settings, password,
		rows_text(rows, 0, COLUMN_EMAIL), rows_text(rows, 0, COLUMN_USERNAME));
	output->invalid_member = offsetof(struct input, new_password);
	output->invalid_reason = weak;
	return weak ? OUTCOME_INVALID_INPUT : OUTCOME_OK;
}

enum outcome operation_change_password(
	struct context *context, const struct input *input, struct output *output)
{
	struct rows rows;
	enum outcome outcome = find(context, input, &rows, output);
	if (outcome == OUTCOME_OK)
		outcome = check(context, &rows, input->new_password, output);
	if (outcome != OUTCOME_OK)
		return outcome;
	struct text old_hash = rows_text(&rows, 0, COLUMN_HASH);
	int64_t version = rows_integer(&rows, 0, COLUMN_VERSION);
	bool matches;
	struct text taken = rows_text(&rows, 0, COLUMN_TAKEN);
	outcome = session_verify(context, old_hash, input->current_password, &matches, output);
	if (outcome == OUTCOME_OK && !matches)
		return OUTCOME_INCORRECT_PASSWORD;
	struct text new_hash;
	if (outcome == OUTCOME_OK)
		outcome = session_hash(context, input->new_password, &new_hash, output);
	if (outcome != OUTCOME_OK) {
		limit_return(context, taken);
		return outcome;
	}
	enum store_result result = STORE_RUN(context->store, context->arena,
		STATEMENT_PASSWORD_CHANGE, &rows, bind_uuid(input->claims.subject),
		bind_uuid(input->claims.session), bind_integer(version), bind_text(new_hash),
		bind_text(context->client), bind_text(taken));
	if (result == STORE_NONE) /* the session ended since the password was verified */
		return OUTCOME_UNAUTHORIZED;
	if (result != STORE_ROWS)
		return session_failed(context, result, output);
	/* else this session changed it by another request since it was verified */
	return rows_boolean(&rows, 0, 0) ? OUTCOME_OK : OUTCOME_INCORRECT_PASSWORD;
}
