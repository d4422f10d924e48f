/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_TOKENS_JWK_H
#define LATCHKEY_TOKENS_JWK_H

#include <stdbool.h>

#include "base/json.h"
#include "tokens/keyring.h"

/* Writes the public half of a key as a JWK (RFC 7517 section 4, RFC 7518 section 6, RFC 8037
 * section 2). False when OpenSSL fails. The key must not be an HMAC key. */
__attribute__((warn_unused_result)) bool jwk_write(
	struct json_writer *json, struct arena *arena, const struct signing_key *key);

/* The thumbprint of a public key (RFC 7638), in the arena. */
__attribute__((warn_unused_result)) bool jwk_thumbprint(
	struct arena *arena, const struct signing_key *key, struct text *thumbprint);

#endif
