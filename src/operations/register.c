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
	const struct session *session, const struct input *input, struct account_create_row *row)
{
	struct text email = value_folded(context->arena, user->email);
	struct onetime onetime = onetime_create(context->arena);
	struct text sealed;
	if (!onetime_seal(context->arena, context->keyring, onetime.token, email, &sealed)) {
		(void)session_broken(context, "no token was sealed");
		return STORE_FAILED;
	}
	struct account_create_parameters parameters = {
		.email = user->email,
		.username = user->username,
		.full_name = user->full_name,
		.first_name = user->first_name,
		.last_name = user->last_name,
		.password_hash = phc,
		.session_lifetime = context->settings->sessions_lifetime,
		.session_idle = context->settings->sessions_idle,
		.token_digest = { (const char *)onetime.digest, sizeof(onetime.digest) },
		.token_lifetime = context->settings->links_verify_ttl,
		.sealed_token = sealed,
		.limits = limit_keys(context, LIMIT_VERIFY_MAIL),
		.client = context->client,
		.hide = !input->reveals_existence,
	};
	if (input->opens_session)
		parameters.session_id = session->id;
	return store_account_create(context->store, context->arena, &parameters, row);
}

static enum outcome issue_tokens(
	struct context *context, struct session *session, int64_t expires_at, struct output *output)
{
	session->user = output->user.id;
	session->expires_at = expires_at;
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
	struct account_create_row row;
	enum store_result result = create(context, user, phc, &session, input, &row);
	if (result == STORE_CONFLICT || (result == STORE_ROWS && row.username_taken))
		return refuse(output, OUTCOME_USERNAME_TAKEN, offsetof(struct input, username),
			"This username is taken.");
	if (result != STORE_ROWS)
		return session_failed(context, result, output);
	limit_note_spent(context, LIMIT_VERIFY_MAIL, row.spent);
	/* who registers an address again may be its owner or not: the answer tells, or a letter */
	if (row.pk == 0)
		return input->reveals_existence
			       ? refuse(output, OUTCOME_EMAIL_TAKEN, offsetof(struct input, email),
					 "This email is already registered.")
			       : OUTCOME_OK;
	user->pk = row.pk;
	user->id = row.id;
	user->created_at = row.created_at;
	if (!input->opens_session)
		return OUTCOME_OK;
	return issue_tokens(context, &session, row.session_expires_at, output);
}
