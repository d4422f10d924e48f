/* SPDX-License-Identifier: MIT */
/*
 * JWS in compact form. The header is read to find the key and to be held against it; nothing in
 * it is ever obeyed. Signing and verifying differ by the kind of key only below jws_signature().
 */
#include "tokens/jws.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "base/json.h"
#include "base/secret.h"

#define ES256_SIZE 64
#define HS256_SIZE 32
#define HEADER_MEMBERS 3 /* alg, typ, kid */

static bool hmac(const unsigned char *secret, size_t size, struct text message,
	unsigned char mac[HS256_SIZE])
{
	unsigned length = HS256_SIZE;
	return HMAC(EVP_sha256(), secret, (int)size, (const unsigned char *)message.at,
		       message.length, mac, &length) != NULL;
}

static const EVP_MD *digest_of(const struct signing_key *key)
{
	return key->algorithm == ALGORITHM_EDDSA ? NULL : EVP_sha256();
}

/* OpenSSL's DER form of an ECDSA signature as r || s. */
static bool der_to_raw(const unsigned char *der, size_t size, unsigned char raw[ES256_SIZE])
{
	ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)size);
	bool done = signature && BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw, 32) == 32 &&
		    BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw + 32, 32) == 32;
	ECDSA_SIG_free(signature);
	return done;
}

/* And back; returns the size of the DER form, or 0. der has room for 72 octets. */
static size_t raw_to_der(const unsigned char *raw, unsigned char *der)
{
	ECDSA_SIG *signature = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw, 32, NULL);
	BIGNUM *s = BN_bin2bn(raw + 32, 32, NULL);
	int size = 0;
	if (signature && r && s && ECDSA_SIG_set0(signature, r, s) == 1) {
		size = i2d_ECDSA_SIG(signature, &der);
	} else {
		BN_free(r);
		BN_free(s);
	}
	ECDSA_SIG_free(signature);
	return size > 0 ? (size_t)size : 0;
}

static bool sign_with_pkey(struct arena *arena, const struct signing_key *key, struct text message,
	struct text *signature)
{
	size_t size = (size_t)EVP_PKEY_get_size(key->pkey);
	unsigned char *octets = arena_alloc(arena, size + ES256_SIZE);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool done = context && EVP_MD_CTX_copy_ex(context, key->signer) == 1 &&
		    EVP_DigestSign(context, octets, &size, (const unsigned char *)message.at,
			    message.length) == 1;
	EVP_MD_CTX_free(context);
	if (done && key->algorithm == ALGORITHM_ES256) {
		unsigned char raw[ES256_SIZE];
		done = der_to_raw(octets, size, raw);
		memcpy(octets, raw, sizeof(raw));
		size = sizeof(raw);
	}
	if (done)
		*signature = (struct text){ (const char *)octets, size };
	else
		ERR_clear_error();
	return done;
}

static bool pkey_fits(const struct signing_key *key, struct text message, struct text signature)
{
	unsigned char der[72];
	const unsigned char *octets = (const unsigned char *)signature.at;
	size_t size = signature.length;
	if (key->algorithm == ALGORITHM_ES256) {
		if (size != ES256_SIZE)
			return false;
		size = raw_to_der(octets, der);
		octets = der;
	}
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool fits = size > 0 && context &&
		    EVP_DigestVerifyInit(context, NULL, digest_of(key), NULL, key->pkey) == 1 &&
		    EVP_DigestVerify(context, octets, size, (const unsigned char *)message.at,
			    message.length) == 1;
	EVP_MD_CTX_free(context);
	ERR_clear_error();
	return fits;
}

static bool hmac_fits(
	const unsigned char *secret, size_t size, struct text message, struct text signature)
{
	unsigned char mac[HS256_SIZE];
	return signature.length == HS256_SIZE && hmac(secret, size, message, mac) &&
	       secret_equal(mac, signature.at, HS256_SIZE);
}

bool jws_signature(struct arena *arena, const struct signing_key *key, struct text message,
	struct text *signature)
{
	unsigned char mac[HS256_SIZE];
	if (key->algorithm != ALGORITHM_HS256)
		return sign_with_pkey(arena, key, message, signature);
	if (!hmac(key->secret, key->secret_size, message, mac))
		return false;
	*signature = (struct text){ arena_copy(arena, mac, sizeof(mac)), sizeof(mac) };
	return true;
}

bool jws_signature_fits(const struct signing_key *key, struct text message, struct text signature)
{
	if (key->algorithm == ALGORITHM_HS256)
		return hmac_fits(key->secret, key->secret_size, message, signature);
	return pkey_fits(key, message, signature);
}

/* header.payload, ready to be signed. alg, typ and kid need no escaping. */
static struct text signing_input(struct arena *arena, const char *algorithm, const char *typ,
	struct text kid, struct text payload)
{
	struct text header = text_format(arena, "{\"alg\":\"%s\",\"typ\":\"%s\",\"kid\":\"%.*s\"}",
		algorithm, typ, TEXT_PRINTF(kid));
	struct text head = base64url_encode(arena, header.at, header.length);
	struct text body = base64url_encode(arena, payload.at, payload.length);
	return text_format(arena, "%.*s.%.*s", TEXT_PRINTF(head), TEXT_PRINTF(body));
}

static struct text join(struct arena *arena, struct text input, struct text signature)
{
	struct text tail = base64url_encode(arena, signature.at, signature.length);
	return text_format(arena, "%.*s.%.*s", TEXT_PRINTF(input), TEXT_PRINTF(tail));
}

bool jws_sign(struct arena *arena, const struct signing_key *key, const char *typ,
	struct text payload, struct text *token)
{
	struct text input =
		signing_input(arena, algorithm_name(key->algorithm), typ, key->kid, payload);
	struct text signature;
	if (!jws_signature(arena, key, input, &signature))
		return false;
	*token = join(arena, input, signature);
	return true;
}

bool jws_sign_refresh(struct arena *arena, const struct signing_key *key, const char *typ,
	struct text payload, struct text *token)
{
	unsigned char mac[HS256_SIZE];
	struct text input =
		signing_input(arena, algorithm_name(ALGORITHM_HS256), typ, key->kid, payload);
	if (!hmac(key->refresh, sizeof(key->refresh), input, mac))
		return false;
	*token = join(arena, input, (struct text){ (const char *)mac, sizeof(mac) });
	return true;
}

/* A token taken apart. */
struct parts {
	struct text input; /* what was signed */
	struct text payload;
	struct text signature;
	struct text alg;
	const struct signing_key *key;
};

static bool header_member(const struct json_object *header, const char *name, struct text *value)
{
	const struct json_member *member = json_find(header, text_of(name));
	if (!member || member->type != JSON_STRING)
		return false;
	*value = member->value;
	return true;
}

static bool take_apart(struct arena *arena, const struct keyring *keyring, const char *typ,
	struct text token, struct parts *parts)
{
	struct text rest = token;
	struct text encoded[3];
	struct text extra;
	struct text header;
	struct json_object object;
	const char *reason;
	struct text kid;
	struct text said_typ;
	if (token.length > JWS_MAXIMUM)
		return false;
	for (size_t i = 0; i < 3; i++)
		if (!text_next(&rest, '.', &encoded[i]))
			return false;
	if (text_next(&rest, '.', &extra) || !base64url_decode(arena, encoded[0], &header) ||
		!base64url_decode(arena, encoded[1], &parts->payload) ||
		!base64url_decode(arena, encoded[2], &parts->signature) ||
		!json_read(arena, header, &object, &reason))
		return false;
	parts->input = (struct text){ token.at, encoded[0].length + 1 + encoded[1].length };
	if (object.count != HEADER_MEMBERS || !header_member(&object, "alg", &parts->alg) ||
		!header_member(&object, "kid", &kid) || !header_member(&object, "typ", &said_typ) ||
		!text_equal(said_typ, text_of(typ)))
		return false;
	parts->key = keyring_find(keyring, kid);
	return parts->key != NULL;
}

bool jws_verify(struct arena *arena, const struct keyring *keyring, const char *typ,
	struct text token, struct text *payload)
{
	struct parts parts;
	if (!take_apart(arena, keyring, typ, token, &parts) ||
		!text_equal(parts.alg, text_of(algorithm_name(parts.key->algorithm))) ||
		!jws_signature_fits(parts.key, parts.input, parts.signature))
		return false;
	*payload = parts.payload;
	return true;
}

bool jws_verify_refresh(struct arena *arena, const struct keyring *keyring, const char *typ,
	struct text token, struct text *payload)
{
	struct parts parts;
	if (!take_apart(arena, keyring, typ, token, &parts) ||
		!text_equal(parts.alg, text_of(algorithm_name(ALGORITHM_HS256))) ||
		!hmac_fits(parts.key->refresh, sizeof(parts.key->refresh), parts.input,
			parts.signature))
		return false;
	*payload = parts.payload;
	return true;
}
