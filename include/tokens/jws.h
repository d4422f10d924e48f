/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_TOKENS_JWS_H
#define LATCHKEY_TOKENS_JWS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/text.h"
#include "tokens/keyring.h"

#define JWS_MAXIMUM 4096 /* octets; longer ones are refused unread */

/*
 * JWS in compact form (RFC 7515 section 7.1). A token names its key by kid; the key says which
 * algorithm holds, and the header's alg must be that one. A header with any other member is refused:
 * `crit` (section 4.1.11), and `jku`, `jwk`, `x5u`, `x5c`, by which a token would bring its own key
 * (RFC 8725 section 3.10).
 */

/* Signs with the key's own algorithm. typ is "at+jwt" (RFC 9068). */
__attribute__((warn_unused_result)) bool jws_sign(struct arena *arena,
	const struct signing_key *key, const char *typ, struct text payload, struct text *token);

/* Signs with HS256 and the key's derived refresh key: the same payload gives the same token. */
__attribute__((warn_unused_result)) bool jws_sign_refresh(struct arena *arena,
	const struct signing_key *key, const char *typ, struct text payload, struct text *token);

/* True, and the payload, only if the form, typ (exactly), kid, alg and signature all fit. */
__attribute__((warn_unused_result)) bool jws_verify(struct arena *arena,
	const struct keyring *keyring, const char *typ, struct text token, struct text *payload);
__attribute__((warn_unused_result)) bool jws_verify_refresh(struct arena *arena,
	const struct keyring *keyring, const char *typ, struct text token, struct text *payload);

/* The raw signature operation under jws_sign/jws_verify, for test vectors: message is the
 * signing input, signature the octets before base64url (ES256: r || s, RFC 7518 section 3.4). */
__attribute__((warn_unused_result)) bool jws_signature(struct arena *arena,
	const struct signing_key *key, struct text message, struct text *signature);
__attribute__((warn_unused_result)) bool jws_signature_fits(
	const struct signing_key *key, struct text message, struct text signature);

#endif
