/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_OPERATIONS_LETTER_REQUEST_H
#define LATCHKEY_OPERATIONS_LETTER_REQUEST_H

#include "operations/limits.h"

/*
 * Somebody asks for a letter with a link. A token of that lifetime (seconds) is made and sealed,
 * and the statement run, in the same way whether or not there is an account; what it found is in
 * rows, whose first columns are how long to wait, and whether the budget of mails is spent. OK, TOO_MANY_REQUESTS or UNAVAILABLE.
 */
__attribute__((warn_unused_result)) enum outcome letter_request(struct context *context,
	enum statement statement, enum limit limit, long lifetime, struct text email,
	struct rows *rows, struct output *output);

#endif
