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

/* A username never looks like an e-mail unless it is the account's own. */
static enum store_result find(
	struct context *context, struct text name, struct account_find_row *account)
{
	bool email = text_find(name, '@') < name.length;
	const struct account_find_parameters parameters = {
		.limits = limit_keys(context, LIMIT_LOGIN),
		.network = limit_network(context),
		.email = email ? name : TEXT_NONE,
		.username = email ? TEXT_NONE : name,
	};
	return store_account_find(context->store, context->arena, &parameters, account);
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
	struct password_rehash_row row;
	if (!password_is_outdated(context->arena, phc, cost) ||
		session_hash(context, password, &renewed, &unused) != OUTCOME_OK)
		return;
	const struct password_rehash_parameters parameters = { user_pk, phc, renewed };
	(void)!store_password_rehash(context->store, context->arena, &parameters, &row);
}

/* credential_version is the one that the password was verified under. */
static enum outcome open_session(struct context *context, int64_t credential_version,
	struct text taken, struct output *output)
{
	struct session session = { .user = output->user.id, .id = uuid_ordered() };
	const struct session_open_parameters parameters = {
		.user_pk = output->user.pk,
		.credential_version = credential_version,
		.session_id = session.id,
		.session_lifetime = context->settings->sessions_lifetime,
		.session_idle = context->settings->sessions_idle,
		.client = context->client,
		.taken = taken,
		.network = limit_network(context),
	};
	struct session_open_row row;
	enum store_result result =
		store_session_open(context->store, context->arena, &parameters, &row);
	if (result == STORE_NONE) /* changed, or the user disabled, since it was verified */
		return OUTCOME_INVALID_CREDENTIALS;
	if (result != STORE_ROWS)
		return session_failed(context, result, output);
	session.expires_at = row.session_expires_at;
	session.issued_at = session.expires_at - context->settings->sessions_lifetime;
	enum outcome outcome = session_access_token(context, &session, output);
	return outcome == OUTCOME_OK ? session_refresh_token(context, &session, output) : outcome;
}

enum outcome operation_login(
	struct context *context, const struct input *input, struct output *output)
{
	struct account_find_row account;
	enum store_result result =
		find(context, value_folded(context->arena, input->login_name), &account);
	if (result != STORE_ROWS)
		return session_failed(context, result, output);
	if (account.wait > 0)
		return limit_refuse(context, LIMIT_LOGIN, account.wait, output);

	bool known = text_is_given(account.password_hash);
	struct password_cost cost = { (uint32_t)context->settings->passwords_memory,
		(uint32_t)context->settings->passwords_passes };
	struct text phc = known ? account.password_hash : password_decoy(context->arena, cost);
	bool matches;
	enum outcome outcome = session_verify(context, phc, input->password, &matches, output);
	if (outcome != OUTCOME_OK) {
		limit_return(context, account.taken);
		return outcome;
	}
	if (!known || !matches) {
		log_info(
			context->log, "login_refused", "client=%.*s", TEXT_PRINTF(context->client));
		return OUTCOME_INVALID_CREDENTIALS;
	}

	output->user = USER_OF(account);
	if (context->settings->accounts_require_verified && !output->user.email_verified)
		return OUTCOME_EMAIL_NOT_VERIFIED;
	renew_hash(context, output->user.pk, phc, input->password);
	return open_session(context, account.credential_version, account.taken, output);
}
