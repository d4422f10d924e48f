/* SPDX-License-Identifier: MIT */
#include "tokens/jwk.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "base/secret.h"

#define INTEGER_SIZE 1024 /* RSA moduli of 8192 bits */

/* A big integer of the key as base64url: in `size` octets, or in as few as it needs. */
static bool integer(
	struct arena *arena, const EVP_PKEY *pkey, const char *name, int size, struct text *encoded)
{
	unsigned char octets[INTEGER_SIZE];
	BIGNUM *number = NULL;
	bool done = false;
	if (EVP_PKEY_get_bn_param(pkey, name, &number) != 1)
		return false;
	if (size == 0)
		size = BN_num_bytes(number);
	if (size <= INTEGER_SIZE && BN_bn2binpad(number, octets, size) == size) {
		*encoded = base64url_encode(arena, octets, (size_t)size);
		done = true;
	}
	BN_free(number);
	return done;
}

/* The members of a JWK that make the key, in the order of their names. */
struct jwk {
	const char *names[4];
	struct text values[4];
	size_t count;
};

static struct text *add(struct jwk *jwk, const char *name, struct text value)
{
	jwk->names[jwk->count] = name;
	jwk->values[jwk->count] = value;
	return &jwk->values[jwk->count++];
}

static bool describe(struct arena *arena, const struct signing_key *key, struct jwk *jwk)
{
	unsigned char raw[32];
	size_t size = sizeof(raw);
	jwk->count = 0;
	switch (key->algorithm) {
	case ALGORITHM_ES256:
		add(jwk, "crv", TEXT("P-256"));
		add(jwk, "kty", TEXT("EC"));
		return integer(arena, key->pkey, OSSL_PKEY_PARAM_EC_PUB_X, 32,
			       add(jwk, "x", TEXT_NONE)) &&
		       integer(arena, key->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, 32,
			       add(jwk, "y", TEXT_NONE));
	case ALGORITHM_EDDSA:
		if (EVP_PKEY_get_raw_public_key(key->pkey, raw, &size) != 1)
			return false;
		add(jwk, "crv", TEXT("Ed25519"));
		add(jwk, "kty", TEXT("OKP"));
		add(jwk, "x", base64url_encode(arena, raw, size));
		return true;
	case ALGORITHM_RS256:
		if (!integer(arena, key->pkey, OSSL_PKEY_PARAM_RSA_E, 0, add(jwk, "e", TEXT_NONE)))
			return false;
		add(jwk, "kty", TEXT("RSA"));
		return integer(
			arena, key->pkey, OSSL_PKEY_PARAM_RSA_N, 0, add(jwk, "n", TEXT_NONE));
	case ALGORITHM_HS256:
		break;
	}
	return false;
}

static void write_members(struct json_writer *json, const struct jwk *jwk)
{
	for (size_t i = 0; i < jwk->count; i++)
		json_text(json, jwk->names[i], jwk->values[i]);
}

bool jwk_write(struct json_writer *json, struct arena *arena, const struct signing_key *key)
{
	struct jwk jwk;
	if (!describe(arena, key, &jwk))
		return false;
	json_open_object(json, NULL);
	write_members(json, &jwk);
	json_text(json, "kid", key->kid);
	json_string(json, "alg", algorithm_name(key->algorithm));
	json_string(json, "use", "sig");
	json_close_object(json);
	return true;
}

bool jwk_thumbprint(struct arena *arena, const struct signing_key *key, struct text *thumbprint)
{
	unsigned char digest[SHA256_SIZE];
	struct json_writer json;
	struct text members;
	struct jwk jwk;
	if (!describe(arena, key, &jwk))
		return false;
	json_begin(&json, arena);
	json_open_object(&json, NULL);
	write_members(&json, &jwk);
	json_close_object(&json);
	if (!json_end(&json, &members))
		return false;
	secret_sha256(members, digest);
	*thumbprint = base64url_encode(arena, digest, sizeof(digest));
	return true;
}
