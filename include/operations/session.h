/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_OPERATIONS_SESSION_H
#define LATCHKEY_OPERATIONS_SESSION_H

#include "operations/operation.h"
#include "store/statements.h"

/*
 * What several operations do alike: turning rows into users, sessions into tokens, and hashing
 * under the bound that keeps a flood of log-ins from taking the machine.
 */

/* A session as the database knows it. Times in seconds since 1970. */
struct session {
	struct uuid user;
	struct uuid id;
	int64_t generation;
	int64_t issued_at; /* of this generation */
	int64_t expires_at;
};

/* Issues an access token for the session, which ends with the session at the latest. */
__attribute__((warn_unused_result)) enum outcome session_access_token(
	struct context *context, const struct session *session, struct output *output);

/* Issues the refresh token of the session's generation: always the same one. */
__attribute__((warn_unused_result)) enum outcome session_refresh_token(
	struct context *context, const struct session *session, struct output *output);

/* The user of a statement's row that has a user's columns. */
#define USER_OF(row)                                                                               \
	((struct user){                                                                            \
		.pk = (row).pk,                                                                    \
		.id = (row).id,                                                                    \
		.email = (row).email,                                                              \
		.username = (row).username,                                                        \
		.full_name = (row).full_name,                                                      \
		.first_name = (row).first_name,                                                    \
		.last_name = (row).last_name,                                                      \
		.email_verified = (row).verified,                                                  \
		.created_at = (row).created_at,                                                    \
	})

/* For results that an operation has no word of its own for. AWAY is UNAVAILABLE: to be tried again.
 * Everything else is a bug or a damaged schema, and INTERNAL_ERROR. */
enum outcome session_failed(
	const struct context *context, enum store_result result, struct output *output);

/* INTERNAL_ERROR, and a line in the log that says what: something failed that never should. */
enum outcome session_broken(const struct context *context, const char *what);

/* UNAVAILABLE for a second: what is needed is taken by others, or not in reach. */
enum outcome session_busy(struct output *output);

/* Hashes, or verifies, behind the context's door: others go on meanwhile. UNAVAILABLE where too many
 * wait for a hash, or there is no memory for one. */
__attribute__((warn_unused_result)) enum outcome session_hash(
	struct context *context, struct text password, struct text *phc, struct output *output);
__attribute__((warn_unused_result)) enum outcome session_verify(struct context *context,
	struct text phc, struct text password, bool *matches, struct output *output);

/* Reads the access token into input->claims; false: no token of ours, or expired. */
__attribute__((warn_unused_result)) bool caller_read(
	struct context *context, struct text access_token, struct input *input);

#endif
