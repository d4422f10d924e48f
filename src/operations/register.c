/* SPDX-License-Identifier: MIT */
/*
 * Registration: the try is counted, the password hashed, and one statement writes the account,
 * its verification mail and, where the answer has tokens, its first session. The hash comes before
 * it is known whether the e-mail is taken, and that statement writes a mail then too: the time tells
 * nothing.
 */
#include "base/clock.h"
#include "operations/limits.h"
#include "operations/session.h"
#include "operations/values.h"
#include "operations/weak.h"
#include "tokens/onetime.h"

static enum outcome refuse(
	struct output *output, enum outcome outcome, size_t member, const char *reason)
{
	output->invalid_member = member;
	output->invalid_reason = reason;
	return outcome;
}

static enum store_result create(struct context *context, struct user *user, struct text phc,
	const struct session *session, const struct input *input, struct rows *rows)
{
	struct text email = value_folded(context->arena, user->email);
	struct onetime onetime = onetime_create(context->arena);
	struct text sealed;
	if (!onetime_seal(context->arena, context->keyring, onetime.token, email, &sealed)) {
		(void)session_broken(context, "no token was sealed");
		return STORE_FAILED;
	}
	return STORE_RUN(context->store, context->arena, STATEMENT_ACCOUNT_CREATE, rows,
		bind_text(user->email), bind_text(user->username), bind_text(user->full_name),
		bind_text(user->first_name), bind_text(user->last_name), bind_text(phc),
		input->opens_session ? bind_uuid(session->id) : bind_text(TEXT_NONE),
		bind_integer(context->settings->sessions_lifetime),
		bind_octets(onetime.digest, sizeof(onetime.digest)),
		bind_integer(context->settings->links_verify_ttl), bind_text(sealed),
		limit_bind(context, LIMIT_VERIFY_MAIL),
		bind_integer(context->settings->sessions_idle), bind_text(context->client),
		bind_boolean(!input->reveals_existence));
}

static enum outcome issue_tokens(struct context *context, struct session *session,
	const struct rows *rows, struct output *output)
{
	session->user = output->user.id;
	session->expires_at = rows_integer(rows, 0, 3);
	session->issued_at = session->expires_at - context->settings->sessions_lifetime;
	enum outcome outcome = session_access_token(context, session, output);
	return outcome == OUTCOME_OK ? session_refresh_token(context, session, output) : outcome;
}

/* What cannot be told from one member alone. OK or INVALID_INPUT. */
static enum outcome check(const struct context *context, const struct user *user,
	struct text password, struct output *output)
{
	if (text_find(user->username, '@') < user->username.length &&
		!text_equal_fold(user->username, user->email))
		return refuse(output, OUTCOME_INVALID_INPUT, offsetof(struct input, username),
			"A username with @ must be the account's own email.");
	const char *weak =
		weak_for_account(context->settings, password, user->email, user->username);
	return weak ? refuse(output, OUTCOME_INVALID_INPUT, offsetof(struct input, password), weak)
		    : OUTCOME_OK;
}

enum outcome operation_register(
	struct context *context, const struct input *input, struct output *output)
{
	struct user *user = &output->user;
	*user = (struct user){ .email = input->email,
		.username = input->username,
		.full_name = input->full_name,
		.first_name = input->first_name,
		.last_name = input->last_name };
	value_names(context->arena, &user->full_name, &user->first_name, &user->last_name);
	enum outcome outcome = check(context, user, input->password, output);
	if (outcome == OUTCOME_OK)
		outcome = limit_count(context, LIMIT_REGISTER, output);
	struct text phc;
	if (outcome == OUTCOME_OK)
		outcome = session_hash(context, input->password, &phc, output);
	if (outcome != OUTCOME_OK)
		return outcome;

	struct session session = { .id = uuid_ordered() };
	struct rows rows;
	enum store_result result = create(context, user, phc, &session, input, &rows);
	if (result == STORE_CONFLICT)
		return refuse(output, OUTCOME_USERNAME_TAKEN, offsetof(struct input, username),
			"This username is taken.");
	if (result != STORE_ROWS)
		return session_failed(context, result, output);
	limit_note_spent(context, LIMIT_VERIFY_MAIL, rows_boolean(&rows, 0, 4));
	/* who registers an address again may be its owner or not: the answer tells, or a letter */
	if (rows_is_null(&rows, 0, 0))
		return input->reveals_existence
			       ? refuse(output, OUTCOME_EMAIL_TAKEN, offsetof(struct input, email),
					 "This email is already registered.")
			       : OUTCOME_OK;
	user->pk = rows_integer(&rows, 0, 0);
	user->id = rows_uuid(&rows, 0, 1);
	user->created_at = rows_integer(&rows, 0, 2);
	return input->opens_session ? issue_tokens(context, &session, &rows, output) : OUTCOME_OK;
}
