/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_OPERATIONS_LIMITS_H
#define LATCHKEY_OPERATIONS_LIMITS_H

#include "operations/operation.h"
#include "store/statements.h"

/*
 * How often something may be tried (OWASP Authentication Cheat Sheet, "Login Throttling"). One
 * setting means several limits: those of an account, of a client network, of both together. They are
 * counted in PostgreSQL, so they hold over all workers and hosts. A try is counted before it is
 * known whether it is right (rate_limits_take in sql/migrations), and given back when it was
 * (rate_limits_return). A try that is refused counts nowhere. Keys are digests: neither names nor
 * addresses are kept.
 */

/* What is counted; each has its own keys. */
enum limit {
	LIMIT_LOGIN, /* and whatever else asks an account's password */
	LIMIT_REGISTER,
	LIMIT_RESET, /* with the budget of reset mails */
	LIMIT_RESET_CONFIRM,
	LIMIT_VERIFY, /* with the budget of verification mails */
	LIMIT_VERIFY_MAIL, /* that budget alone, for a mail that nobody asked for */
};

/* The limits of one try from the context's network: the parameter `limits` of the statements. */
struct text limit_keys(struct context *context, enum limit limit);

/* The digest of the context's network: the parameter `network` of the statements that ask, or
 * remember, whether an account knows it. */
struct uuid limit_network(struct context *context);

/* Gives a try back that was counted and could not be judged, for nobody had time to hash: `taken` is
 * the column of the statement that counted it. What fails here is logged, and left counted. */
void limit_return(struct context *context, struct text taken);

/* Counts a try on its own. OK, TOO_MANY_REQUESTS with output->retry_after, or UNAVAILABLE. */
__attribute__((warn_unused_result)) enum outcome limit_count(
	struct context *context, enum limit limit, struct output *output);

/* The answer where a statement said to wait (seconds): TOO_MANY_REQUESTS. Logs it. */
__attribute__((warn_unused_result)) enum outcome limit_refuse(
	struct context *context, enum limit limit, int64_t wait, struct output *output);

/* Logs that a mail was not sent because the budget of its recipient is spent. The answer does not
 * tell. */
void limit_note_spent(struct context *context, enum limit limit, bool spent);

#endif
