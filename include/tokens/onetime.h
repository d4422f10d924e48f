/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_TOKENS_ONETIME_H
#define LATCHKEY_TOKENS_ONETIME_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/secret.h"
#include "base/text.h"
#include "tokens/keyring.h"

#define ONETIME_SIZE 32 /* random octets; 43 characters as base64url */

/* A token that works once, sent by mail. The database knows its digest only. */
struct onetime {
	struct text token; /* base64url, in the arena */
	unsigned char digest[SHA256_SIZE]; /* of the octets of `token` as sent */
};

struct onetime onetime_create(struct arena *arena);

/* False, without any query, for what cannot be a token: 43 canonical base64url characters. */
__attribute__((warn_unused_result)) bool onetime_digest(
	struct arena *arena, struct text token, unsigned char digest[SHA256_SIZE]);

/*
 * AES-256-GCM under the current key's derived seal key, for the way through the outbox: who reads
 * the database cannot read the token. The result names the key by kid; `bound` (the recipient)
 * must be the same when it is opened.
 */
__attribute__((warn_unused_result)) bool onetime_seal(struct arena *arena,
	const struct keyring *keyring, struct text token, struct text bound, struct text *sealed);
__attribute__((warn_unused_result)) bool onetime_open(struct arena *arena,
	const struct keyring *keyring, struct text sealed, struct text bound, struct text *token);

#endif
