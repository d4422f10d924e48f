/* SPDX-License-Identifier: MIT */
/*
 * Log-in: a statement that counts the try and finds the account, one hash, a statement that opens
 * the session. For a name that nobody has, the hash is computed against a decoy of the same cost:
 * neither the answer nor its time tells who has an account (OWASP Authentication Cheat Sheet).
 */
#include "base/clock.h"
#include "operations/limits.h"
#include "operations/session.h"
#include "operations/values.h"
#include "passwords/argon2.h"

enum { COLUMN_WAIT, COLUMN_TAKEN, COLUMN_PK, COLUMN_HASH = 11, COLUMN_VERSION };

/* A username never looks like an e-mail unless it is the account's own. */
static enum store_result find(struct context *context, struct text name, struct rows *rows)
{
	bool email = text_find(name, '@') < name.length;
	return STORE_RUN(context->store, context->arena, STATEMENT_ACCOUNT_FIND, rows,
		limit_bind(context, LIMIT_LOGIN), limit_network(context),
		bind_text(email ? name : TEXT_NONE), bind_text(email ? TEXT_NONE : name));
}

/* The password at the cost of today, where the account's was hashed at another. What fails
 * here can wait for the next log-in. */
static void renew_hash(
	struct context *context, int64_t user_pk, struct text phc, struct text password)
{
	struct password_cost cost = { (uint32_t)context->settings->passwords_memory,
		(uint32_t)context->settings->passwords_passes };
	struct output unused = { 0 };
	struct text renewed;
	struct rows rows;
	if (!password_is_outdated(context->arena, phc, cost) ||
		session_hash(context, password, &renewed, &unused) != OUTCOME_OK)
		return;
	(void)!STORE_RUN(context->store, context->arena, STATEMENT_PASSWORD_REHASH, &rows,
		bind_integer(user_pk), bind_text(phc), bind_text(renewed));
}

/* credential_version is the one that the password was verified under. */
static enum outcome open_session(struct context *context, int64_t credential_version,
	struct text taken, struct output *output)
{
	struct session session = { .user = output->user.id, .id = uuid_ordered() };
	struct rows rows;
	enum store_result result = STORE_RUN(context->store, context->arena, STATEMENT_SESSION_OPEN,
		&rows, bind_integer(output->user.pk), bind_integer(credential_version),
		bind_uuid(session.id), bind_integer(context->settings->sessions_lifetime),
		bind_integer(context->settings->sessions_idle), bind_text(context->client),
		bind_text(taken), limit_network(context));
	if (result == STORE_NONE) /* changed, or the user disabled, since it was verified */
		return OUTCOME_INVALID_CREDENTIALS;
	if (result != STORE_ROWS)
		return session_failed(context, result, output);
	session.expires_at = rows_integer(&rows, 0, 0);
	session.issued_at = session.expires_at - context->settings->sessions_lifetime;
	enum outcome outcome = session_access_token(context, &session, output);
	return outcome == OUTCOME_OK ? session_refresh_token(context, &session, output) : outcome;
}

enum outcome operation_login(
	struct context *context, const struct input *input, struct output *output)
{
	struct rows rows;
	enum store_result result =
		find(context, value_folded(context->arena, input->login_name), &rows);
	if (result != STORE_ROWS)
		return session_failed(context, result, output);
	int64_t wait = rows_integer(&rows, 0, COLUMN_WAIT);
	if (wait > 0)
		return limit_refuse(context, LIMIT_LOGIN, wait, output);

	struct text taken = rows_text(&rows, 0, COLUMN_TAKEN);
	bool known = !rows_is_null(&rows, 0, COLUMN_PK);
	struct password_cost cost = { (uint32_t)context->settings->passwords_memory,
		(uint32_t)context->settings->passwords_passes };
	struct text phc =
		known ? rows_text(&rows, 0, COLUMN_HASH) : password_decoy(context->arena, cost);
	bool matches;
	enum outcome outcome = session_verify(context, phc, input->password, &matches, output);
	if (outcome != OUTCOME_OK) {
		limit_return(context, taken);
		return outcome;
	}
	if (!known || !matches) {
		log_info(
			context->log, "login_refused", "client=%.*s", TEXT_PRINTF(context->client));
		return OUTCOME_INVALID_CREDENTIALS;
	}

	output->user = session_user(&rows, COLUMN_PK);
	if (context->settings->accounts_require_verified && !output->user.email_verified)
		return OUTCOME_EMAIL_NOT_VERIFIED;
	renew_hash(context, output->user.pk, phc, input->password);
	return open_session(context, rows_integer(&rows, 0, COLUMN_VERSION), taken, output);
}
