/* SPDX-License-Identifier: MIT */
/* What the settings of the section limits mean: one row for each key that a try is counted under. */
#include "operations/limits.h"

#include <string.h>

#include "base/secret.h"
#include "operations/session.h"

/* Which part of the client's address belongs to the key. */
enum place { EVERYWHERE, NETWORK, WIDER_NETWORK };

/*
 * `kind` is that of the SQL type rate_limit: whether the account belongs to the key too, and what
 * happens when the limit is reached. A setting of N/period allows N * times / parts tries in
 * period * periods. A network may hold many people, so it may try more often than one account.
 *
 * A try locks its keys in the order of the rows: rows that two limits share stand in one order for
 * both.
 */
struct limit_rule {
	unsigned limits; /* bits: the limits that it belongs to */
	const char *name; /* what the keys of several limits have in common */
	const char *kind;
	enum place place;
	size_t setting; /* offset of a struct rate in struct settings */
	int times;
	int parts;
	int periods;
};

#define BIT(limit) (1U << LIMIT_##limit)
#define SETTING(key) offsetof(struct settings, limits_##key)

static const struct limit_rule rules[] = {
	{ BIT(LOGIN), "login", "account", NETWORK, SETTING(login), 1, 1, 1 },
	{ BIT(LOGIN), "login", "account", NETWORK, SETTING(login), 2, 1, 60 },
	{ BIT(LOGIN), "login", "network", NETWORK, SETTING(login), 5, 1, 1 },
	{ BIT(LOGIN), "login", "network", WIDER_NETWORK, SETTING(login), 25, 1, 1 },
	{ BIT(LOGIN), "login", "stranger", EVERYWHERE, SETTING(login), 10, 1, 60 },

	/* each try names another account: there is nothing but the network to count by */
	{ BIT(REGISTER), "register", "network", NETWORK, SETTING(register), 1, 1, 1 },

	{ BIT(RESET), "reset", "account", NETWORK, SETTING(reset), 1, 1, 1 },
	{ BIT(RESET), "reset", "network", NETWORK, SETTING(reset), 5, 1, 1 },
	{ BIT(RESET), "reset", "network", WIDER_NETWORK, SETTING(reset), 25, 1, 1 },

	{ BIT(RESET_CONFIRM), "confirm", "network", NETWORK, SETTING(reset), 5, 1, 1 },
	{ BIT(RESET_CONFIRM), "confirm", "network", WIDER_NETWORK, SETTING(reset), 25, 1, 1 },

	{ BIT(VERIFY), "verify", "account", NETWORK, SETTING(verify), 1, 1, 1 },
	{ BIT(VERIFY), "verify", "network", NETWORK, SETTING(verify), 5, 1, 1 },
	{ BIT(VERIFY), "verify", "network", WIDER_NETWORK, SETTING(verify), 25, 1, 1 },

	/* nobody else can use up what a recipient may get: a network has half of it, all the
	 * networks of a provider's customer three quarters */
	{ BIT(RESET), "reset mail", "budget", NETWORK, SETTING(mail), 1, 2, 1 },
	{ BIT(RESET), "reset mail", "budget", WIDER_NETWORK, SETTING(mail), 3, 4, 1 },
	{ BIT(RESET), "reset mail", "budget", EVERYWHERE, SETTING(mail), 1, 1, 1 },
	{ BIT(VERIFY) | BIT(VERIFY_MAIL), "verify mail", "budget", NETWORK, SETTING(mail), 1, 2,
		1 },
	{ BIT(VERIFY) | BIT(VERIFY_MAIL), "verify mail", "budget", WIDER_NETWORK, SETTING(mail), 3,
		4, 1 },
	{ BIT(VERIFY) | BIT(VERIFY_MAIL), "verify mail", "budget", EVERYWHERE, SETTING(mail), 1, 1,
		1 },
};

static const char *const limit_names[] = {
	[LIMIT_LOGIN] = "login",
	[LIMIT_REGISTER] = "register",
	[LIMIT_RESET] = "reset",
	[LIMIT_RESET_CONFIRM] = "reset_confirm",
	[LIMIT_VERIFY] = "verify",
	[LIMIT_VERIFY_MAIL] = "verify_mail",
};

/* Half of a SHA-256. */
static struct uuid digest(struct text text)
{
	unsigned char octets[SHA256_SIZE];
	struct uuid half;
	secret_sha256(text, octets);
	memcpy(half.octets, octets, sizeof(half.octets));
	return half;
}

static struct uuid rule_key(const struct context *context, const struct limit_rule *rule)
{
	static const char *const places[] = { "everywhere", "network", "wider network" };
	const struct text networks[] = { TEXT(""), context->network, context->wider_network };
	return digest(text_format(context->arena, "%s, %s, %s, %d, %.*s", rule->name, rule->kind,
		places[rule->place], rule->periods, TEXT_PRINTF(networks[rule->place])));
}

/* Who may have a part of one has one. */
static long rule_allows(const struct limit_rule *rule, const struct rate *rate)
{
	long allowed = rate->count * rule->times / rule->parts;
	return allowed > 0 ? allowed : 1;
}

struct text limit_keys(struct context *context, enum limit limit)
{
	struct arena *arena = context->arena;
	struct text array = TEXT("{");
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct limit_rule *rule = &rules[i];
		const struct rate *rate =
			(const struct rate *)(const void *)((const char *)context->settings +
							    rule->setting);
		if (!(rule->limits & 1U << limit) || rate->count == 0)
			continue;
		array = text_format(arena, "%.*s%s\"(%s,%.*s,%ld,%ld)\"", TEXT_PRINTF(array),
			array.length > 1 ? "," : "", rule->kind,
			TEXT_PRINTF(uuid_text(arena, rule_key(context, rule))),
			rule_allows(rule, rate), rate->seconds * rule->periods);
	}
	return text_format(arena, "%.*s}", TEXT_PRINTF(array));
}

struct uuid limit_network(struct context *context)
{
	return digest(context->network);
}

enum outcome limit_count(struct context *context, enum limit limit, struct output *output)
{
	const struct attempt_count_parameters parameters = { limit_keys(context, limit) };
	struct attempt_count_row row;
	if (text_equal(parameters.limits, TEXT("{}"))) /* it is off */
		return OUTCOME_OK;
	enum store_result result =
		store_attempt_count(context->store, context->arena, &parameters, &row);
	if (result != STORE_ROWS)
		return session_failed(context, result, output);
	return row.wait > 0 ? limit_refuse(context, limit, row.wait, output) : OUTCOME_OK;
}

void limit_return(struct context *context, struct text taken)
{
	const struct attempt_return_parameters parameters = { taken };
	struct attempt_return_row unused;
	enum store_result result = STORE_ROWS;
	if (text_is_given(taken))
		result = store_attempt_return(context->store, context->arena, &parameters, &unused);
	if (result != STORE_ROWS)
		log_warning(context->log, "try_not_given_back", "client=%.*s",
			TEXT_PRINTF(context->client));
}

enum outcome limit_refuse(
	struct context *context, enum limit limit, int64_t wait, struct output *output)
{
	log_info(context->log, "limit_reached", "limit=%s client=%.*s wait=%lld",
		limit_names[limit], TEXT_PRINTF(context->client), (long long)wait);
	output->retry_after = wait;
	return OUTCOME_TOO_MANY_REQUESTS;
}

void limit_note_spent(struct context *context, enum limit limit, bool spent)
{
	if (spent)
		log_warning(context->log, "mail_budget_spent", "limit=%s client=%.*s",
			limit_names[limit], TEXT_PRINTF(context->client));
}
