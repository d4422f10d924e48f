/* SPDX-License-Identifier: MIT */
/*
 * Who is logged in changes the password. The present one is asked for again, and counted like a
 * log-in: a stolen access token must not be enough to try passwords with.
 */
#include "operations/limits.h"
#include "operations/session.h"

enum { COLUMN_WAIT, COLUMN_TAKEN, COLUMN_PK, COLUMN_HASH };

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

enum outcome operation_change_password(
	struct context *context, const struct input *input, struct output *output)
{
	struct rows rows;
	enum outcome outcome = find(context, input, &rows, output);
	if (outcome != OUTCOME_OK)
		return outcome;
	struct text old_hash = rows_text(&rows, 0, COLUMN_HASH);
	int64_t user_pk = rows_integer(&rows, 0, COLUMN_PK);
	bool matches;
	outcome = session_verify(context, old_hash, input->current_password, &matches, output);
	if (outcome == OUTCOME_OK && !matches)
		outcome = OUTCOME_INCORRECT_PASSWORD;
	struct text new_hash;
	if (outcome == OUTCOME_OK)
		outcome = session_hash(context, input->new_password, &new_hash, output);
	if (outcome != OUTCOME_OK)
		return outcome;
	enum store_result result = STORE_RUN(context->store, context->arena,
		STATEMENT_PASSWORD_CHANGE, &rows, bind_integer(user_pk), bind_text(old_hash),
		bind_text(new_hash), bind_uuid(input->claims.session), bind_text(context->client));
	if (result == STORE_NONE) /* changed elsewhere since it was verified */
		return OUTCOME_INCORRECT_PASSWORD;
	return result == STORE_ROWS ? OUTCOME_OK : session_failed(context, result, output);
}
