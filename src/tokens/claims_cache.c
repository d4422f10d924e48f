/* SPDX-License-Identifier: MIT */
#include "tokens/claims_cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

/* A power of two. Only tokens that we signed get in, so nobody can fill it at will. */
#define PLACES 2048

/* A token has one place, by its digest, and takes it from whoever is there. */
struct known {
	unsigned char digest[SHA256_SIZE];
	struct access_claims claims; /* expires_at: 0 where there is none */
};

struct claims_cache {
	struct known places[PLACES];
};

struct claims_cache *claims_cache_open(void)
{
	return calloc(1, sizeof(struct claims_cache));
}

void claims_cache_close(struct claims_cache *cache)
{
	free(cache);
}

bool claims_cache_read(struct claims_cache *cache, struct arena *arena,
	const struct keyring *keyring, const struct settings *settings, int64_t now,
	struct text token, struct access_claims *claims)
{
	unsigned char digest[SHA256_SIZE];
	if (!cache || !text_is_given(token) || token.length > JWS_MAXIMUM)
		return access_token_read(arena, keyring, settings, now, token, claims);
	secret_sha256(token, digest);
	struct known *known = &cache->places[(digest[0] << 8 | digest[1]) % PLACES];
	if (known->claims.expires_at > now && memcmp(known->digest, digest, sizeof(digest)) == 0) {
		*claims = known->claims;
		return true;
	}
	if (!access_token_read(arena, keyring, settings, now, token, claims))
		return false;
	memcpy(known->digest, digest, sizeof(digest));
	known->claims = *claims;
	return true;
}
