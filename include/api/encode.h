/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_API_ENCODE_H
#define LATCHKEY_API_ENCODE_H

#include <stdbool.h>

#include "api/decode.h"
#include "api/dialect.h"
#include "http/response.h"

/* Writes the route's answer to a success. False where a text is not UTF-8, which the database
 * does not hold. */
__attribute__((warn_unused_result)) bool encode_reply(const struct settings *settings,
	const struct dialect *dialect, const struct route *route, const struct output *output,
	struct response *response);

/* The status, code and text of an outcome: in the route's own words, else in the dialect's, else in
 * those of the table. route may be NULL. */
struct outcome_row outcome_row_of(
	const struct dialect *dialect, const struct route *route, enum outcome outcome);

/* Writes an outcome in the dialect's envelope, with the headers that go with it: Retry-After,
 * WWW-Authenticate (RFC 6750 section 3). route may be NULL. */
void encode_error(const struct dialect *dialect, const struct route *route, enum outcome outcome,
	const struct output *output, const struct invalid_members *invalid,
	const struct request *request, struct response *response);

/* Whether an error of the dialect has a member of that name whatever is wrong: an invalid field of
 * that name is told in "errors" alone. */
bool error_has_member(const struct dialect *dialect, const char *key);

/* Set-Cookie with the refresh token, or, where token is TEXT_NONE, with nothing, to clear it
 * (RFC 6265). Its path is the mount. Secure is left out only over plain HTTP on the machine itself,
 * and only while api.base_url is plain HTTP: the Host header alone is a client's word. */
void encode_cookie(const struct settings *settings, const struct dialect *dialect,
	const struct request *request, struct text token, int64_t lifetime,
	struct response *response);

#endif
