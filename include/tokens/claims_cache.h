/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_TOKENS_CLAIMS_CACHE_H
#define LATCHKEY_TOKENS_CLAIMS_CACHE_H

#include "tokens/claims.h"

/*
 * What access tokens said that one process has read: verifying a signature costs more than all else
 * that a request does, and clients send the same token until it expires. A cache belongs
 * to one keyring and the settings it is used with. It knows nothing of revocation, which the database is asked about
 * for every request as ever. Tokens are not kept, but their SHA-256.
 */
struct claims_cache;

/* NULL without memory. */
struct claims_cache *claims_cache_open(void);
void claims_cache_close(struct claims_cache *cache);

/* As access_token_read(), which it asks when the token is new to it. cache may be NULL. */
__attribute__((warn_unused_result)) bool claims_cache_read(struct claims_cache *cache,
	struct arena *arena, const struct keyring *keyring, const struct settings *settings,
	int64_t now, struct text token, struct access_claims *claims);

#endif
