/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_OPERATIONS_LIMITS_H
#define LATCHKEY_OPERATIONS_LIMITS_H

#include "operations/operation.h"
#include "store/statement.h"

/*
 * How often something may be tried (OWASP Authentication Cheat Sheet, "Login Throttling"): per
 * account and client network together, per client network, and slowly per account. They are
 * counted in PostgreSQL, so they hold over all workers and hosts; keys are digests, so names that
 * nobody has count like the others and neither names nor addresses are kept.
 */

/* What is counted; each has its own keys. */
enum limit {
	LIMIT_LOGIN,
	LIMIT_REGISTER,
	LIMIT_RESET,
	LIMIT_RESET_CONFIRM,
	LIMIT_VERIFY,
	LIMIT_MAIL
};

/* The parameters of one try, as the statements take them; `wide` are the wider limits' factors. */
struct limit_binds {
	struct bind pair;
	struct bind network;
	struct bind account;
	struct bind allowed;
	struct bind seconds;
	struct bind network_factor;
	struct bind account_factor;
};

/* account is the name that was typed, in lower case; TEXT_NONE where there is none. */
struct limit_binds limit_try(struct context *context, enum limit limit, struct text account);

/* The budget of mails to one recipient: key, allowed and seconds are written. */
struct limit_binds limit_mail(struct context *context, struct text recipient);

/* Counts a try on its own. OK, TOO_MANY_REQUESTS with output->retry_after, or UNAVAILABLE. */
enum outcome limit_count(
	struct context *context, enum limit limit, struct text account, struct output *output);

/* The answer where a statement said to wait: TOO_MANY_REQUESTS. */
enum outcome limit_refuse(
	struct context *context, enum limit limit, int64_t wait, struct output *output);

#endif
