/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_API_DECODE_H
#define LATCHKEY_API_DECODE_H

#include <stdbool.h>

#include "api/dialect.h"
#include "http/request.h"

#define INVALID_MEMBERS_MAXIMUM 16

/* What is wrong with the members of a request, for the answer: all of it, not the first only. */
struct invalid_members {
	size_t count;
	struct {
		const char *key;
		const char *reason; /* for people; in the arena, without the value */
	} members[INVALID_MEMBERS_MAXIMUM];
	const char *malformed; /* MALFORMED_JSON: why */
};

void invalid_add(struct invalid_members *invalid, const char *key, const char *reason);

/*
 * Decodes path, cookie and body into `input` by the route's members. OK, MALFORMED_JSON,
 * UNSUPPORTED_MEDIA_TYPE or INVALID_INPUT; then `invalid` says why. Members that the route
 * does not know are ignored.
 */
__attribute__((warn_unused_result)) enum outcome decode(const struct context *context,
	const struct request *request, const struct route *route, struct text path_token,
	struct input *input, struct invalid_members *invalid);

#endif
