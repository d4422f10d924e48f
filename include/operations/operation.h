/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_OPERATIONS_OPERATION_H
#define LATCHKEY_OPERATIONS_OPERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/settings.h"
#include "base/text.h"
#include "base/uuid.h"
#include "passwords/blocklist.h"
#include "passwords/door.h"
#include "store/store.h"
#include "tokens/claims_cache.h"
#include "tokens/keyring.h"

/*
 * The verbs of the service. An operation has never heard of HTTP, JSON or dialects: it takes typed
 * input whose form has been checked, does the work with at most one hash and few
 * statements, and says what came of it.
 */

enum outcome {
#define OUTCOME(name, status, code, text) OUTCOME_##name,
#include "operations/outcomes.def"
#undef OUTCOME
	OUTCOME_COUNT
};

struct outcome_row {
	int status; /* RFC 9110 section 15 */
	const char *code;
	const char *text;
};
extern const struct outcome_row outcome_rows[OUTCOME_COUNT];

/* What an operation works with. Everything but the arena's content outlives the request. */
struct context {
	const struct settings *settings;
	const struct log *log;
	const struct keyring *keyring;
	const struct blocklist *blocklist;
	struct claims_cache *tokens; /* those this process has read; NULL: none are remembered */
	const struct hash_door *hashing; /* where hashes are computed */
	struct store *store;
	struct arena *arena; /* the request's */
	struct text client; /* address, for events */
	struct text network; /* the same as limits count it: IPv4, or the /64 of IPv6 */
	struct text wider_network; /* the /24 or /48 */
};

/* What came in. A member that was not sent is TEXT_NONE. Views into the request. */
struct input {
	struct text email;
	struct text username;
	struct text login_name; /* e-mail or username, whichever it is */
	struct text password;
	struct text new_password;
	struct text confirm_password;
	struct text current_password;
	struct text full_name;
	struct text first_name;
	struct text last_name;
	struct text refresh_token;
	struct text one_time_token;

	bool protected; /* claims hold: the access token was read, not yet looked up */
	struct access_claims claims;
	bool either_token; /* the access token or the refresh token is enough */
	bool opens_session; /* registration answers with tokens */
	bool reveals_existence; /* the answer may tell whether there is an account */
	bool rotates; /* the new refresh token can be handed over */
};

/* A user as answers show it. */
struct user {
	int64_t pk;
	struct uuid id;
	struct text email;
	struct text username; /* TEXT_NONE: none, and so on */
	struct text full_name;
	struct text first_name;
	struct text last_name;
	bool email_verified;
	int64_t created_at; /* seconds since 1970 */
};

/* What goes out; an operation writes the members that it is about. All in the arena. */
struct output {
	struct user user;
	struct text access_token;
	struct text refresh_token; /* TEXT_NONE after a refresh that yields no other */
	int64_t refresh_token_lifetime; /* seconds that are left of it, for the cookie */
	struct text json; /* a whole document, for operations that make one */
	const char *algorithms[ALGORITHM_COUNT]; /* JOSE's names for them; NULL: no more */

	int64_t retry_after; /* seconds: TOO_MANY_REQUESTS, UNAVAILABLE */
	size_t invalid_member; /* INVALID_INPUT: offset of a member of struct input */
	const char *invalid_reason; /* what is wrong with it, for people */
};

typedef enum outcome operation(
	struct context *context, const struct input *input, struct output *output);

/* Every operation, one file each. The file says what it costs and which RFC it follows. */
operation operation_algorithms;
operation operation_change_password;
operation operation_find_self;
operation operation_find_verification;
operation operation_forgot;
operation operation_health;
operation operation_jwks;
operation operation_login;
operation operation_logout;
operation operation_refresh;
operation operation_register;
operation operation_resend;
operation operation_reset;
operation operation_verify;

#endif
