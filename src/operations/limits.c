/* SPDX-License-Identifier: MIT */
#include "operations/limits.h"

#include "base/secret.h"
#include "operations/session.h"

/*
 * What one setting means for its three limits. A network may hold many people, so it may try more
 * often than one of them; registering names a new account each time, so there the network is all
 * there is to count by. The slow cap bounds guessing from many networks.
 */
struct limit_rule {
	const char *name;
	size_t setting; /* offset of a struct rate in struct settings */
	int64_t network_factor;
	int64_t account_factor; /* in 60 times the period; 0: no cap */
};

static const struct limit_rule rules[] = {
	[LIMIT_LOGIN] = { "login", offsetof(struct settings, limits_login), 5, 10 },
	[LIMIT_REGISTER] = { "register", offsetof(struct settings, limits_register), 1, 0 },
	[LIMIT_RESET] = { "reset", offsetof(struct settings, limits_reset), 5, 0 },
	[LIMIT_RESET_CONFIRM] = { "reset_confirm", offsetof(struct settings, limits_reset), 5, 0 },
	[LIMIT_VERIFY] = { "verify", offsetof(struct settings, limits_verify), 5, 0 },
	[LIMIT_MAIL] = { "mail", offsetof(struct settings, limits_mail), 0, 0 },
};

static const struct rate *rule_rate(const struct context *context, const struct limit_rule *rule)
{
	return (const struct rate *)(const void *)((const char *)context->settings + rule->setting);
}

/* Half of a SHA-256. The length before the account keeps it apart from the network, whatever the
 * account's name holds. */
static struct bind key(struct context *context, const char *limit, const char *scope,
	struct text account, struct text network)
{
	unsigned char digest[SHA256_SIZE];
	secret_sha256(text_format(context->arena, "%s %s %zu %.*s %.*s", limit, scope,
			      account.length, TEXT_PRINTF(account), TEXT_PRINTF(network)),
		digest);
	return bind_octets(
		arena_copy(context->arena, digest, sizeof(digest) / 2), sizeof(digest) / 2);
}

struct limit_binds limit_try(struct context *context, enum limit limit, struct text account)
{
	const struct limit_rule *rule = &rules[limit];
	const struct rate *rate = rule_rate(context, rule);
	struct text network = context->network;
	struct limit_binds binds = {
		.pair = bind_text(TEXT_NONE),
		.network = bind_text(TEXT_NONE),
		.account = bind_text(TEXT_NONE),
		.allowed = bind_integer(rate->count),
		.seconds = bind_integer(rate->seconds),
		.network_factor = bind_integer(rule->network_factor),
		.account_factor = bind_integer(rule->account_factor),
	};
	if (rate->count == 0)
		return binds;
	binds.network = key(context, rule->name, "network", TEXT_NONE, network);
	if (text_is_given(account))
		binds.pair = key(context, rule->name, "pair", account, network);
	if (text_is_given(account) && rule->account_factor > 0)
		binds.account = key(context, rule->name, "account", account, TEXT_NONE);
	return binds;
}

struct limit_binds limit_mail(struct context *context, struct text recipient)
{
	const struct limit_rule *rule = &rules[LIMIT_MAIL];
	const struct rate *rate = rule_rate(context, rule);
	return (struct limit_binds){
		.account = key(context, rule->name, "account", recipient, TEXT_NONE),
		.allowed = bind_integer(rate->count),
		.seconds = bind_integer(rate->seconds),
	};
}

enum outcome limit_count(
	struct context *context, enum limit limit, struct text account, struct output *output)
{
	if (rule_rate(context, &rules[limit])->count == 0)
		return OUTCOME_OK;
	struct limit_binds binds = limit_try(context, limit, account);
	struct rows rows;
	enum store_result result = STORE_RUN(context->store, context->arena,
		STATEMENT_ATTEMPT_COUNT, &rows, binds.pair, binds.network, binds.account,
		binds.allowed, binds.seconds, binds.network_factor, binds.account_factor);
	if (result != STORE_ROWS)
		return session_failed(context, result, output);
	int64_t wait = rows_integer(&rows, 0, 0);
	return wait > 0 ? limit_refuse(context, limit, wait, output) : OUTCOME_OK;
}

enum outcome limit_refuse(
	struct context *context, enum limit limit, int64_t wait, struct output *output)
{
	log_info(context->log, "limit_reached", "limit=%s client=%.*s wait=%lld", rules[limit].name,
		TEXT_PRINTF(context->client), (long long)wait);
	output->retry_after = wait;
	return OUTCOME_TOO_MANY_REQUESTS;
}
