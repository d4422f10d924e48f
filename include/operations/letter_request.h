/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_OPERATIONS_LETTER_REQUEST_H
#define LATCHKEY_OPERATIONS_LETTER_REQUEST_H

#include "operations/limits.h"

/* A letter with a link that can be asked for. */
struct letter_request {
	struct text letter; /* its name, which is the purpose of its token too */
	enum limit limit;
	long lifetime; /* of the token, in seconds from now */
	bool reveals; /* the answer tells whether there is an account */
};

/*
 * Somebody asks for a letter to an address. A token is made and sealed, and a row written, in the
 * same way whether or not there is an account: the courier finds out. UNKNOWN_EMAIL only where the
 * answer reveals that. OK, UNKNOWN_EMAIL, TOO_MANY_REQUESTS, UNAVAILABLE or FAILED. Waits for the
 * database.
 */
__attribute__((warn_unused_result)) enum outcome letter_request(struct context *context,
	const struct letter_request *request, struct text email, struct output *output);

#endif
