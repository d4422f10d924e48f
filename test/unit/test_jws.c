/* SPDX-License-Identifier: MIT */
/*
 * Where a token must be refused for one reason, everything else about it is right: headers that
 * lie are properly signed, so that a check that is missing shows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>
#include <string.h>

#include "tokens/jws.h"

#define TYPE "at+jwt"
#define PAYLOAD TEXT("{\"sub\":\"somebody\"}")

/* RFC 7515 appendices A.1 to A.3 sign the same payload. */
#define RFC_PAYLOAD                                                                                \
	"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0" \
	"cnVlfQ"

struct fixture {
	struct arena arena;
	struct signing_key keys[ALGORITHM_COUNT]; /* kids "k0" to "k3" */
	struct keyring keyring;
};

static struct text decoded(struct fixture *fixture, const char *encoded)
{
	struct text octets = TEXT_NONE;
	assert_true(base64url_decode(&fixture->arena, text_of(encoded), &octets));
	return octets;
}

static EVP_PKEY *from_data(const char *type, int selection, OSSL_PARAM_BLD *builder)
{
	OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pkey = NULL;
	assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
	assert_int_equal(EVP_PKEY_fromdata(context, &pkey, selection, parameters), 1);
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(parameters);
	OSSL_PARAM_BLD_free(builder);
	return pkey;
}

static BIGNUM *number(struct text octets)
{
	return BN_bin2bn((const unsigned char *)octets.at, (int)octets.length, NULL);
}

/* RFC 7515 appendix A.3 */
static EVP_PKEY *rfc_es256_key(struct fixture *fixture)
{
	struct text x = decoded(fixture, "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
	struct text y = decoded(fixture, "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
	BIGNUM *d = number(decoded(fixture, "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"));
	unsigned char point[65] = { 4 };
	memcpy(point + 1, x.at, 32);
	memcpy(point + 33, y.at, 32);
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
	OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point));
	OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, d);
	EVP_PKEY *pkey = from_data("EC", EVP_PKEY_KEYPAIR, builder);
	BN_free(d);
	return pkey;
}

/* RFC 7515 appendix A.2, its public half */
static EVP_PKEY *rfc_rs256_key(struct fixture *fixture)
{
	BIGNUM *n = number(decoded(fixture,
		"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJP"
		"MEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LO"
		"L-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlx"
		"vb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcD"
		"TW9gb54h4FRWyuXpoQ"));
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n);
	OSSL_PARAM_BLD_push_ulong(builder, OSSL_PKEY_PARAM_RSA_E, 65537);
	EVP_PKEY *pkey = from_data("RSA", EVP_PKEY_PUBLIC_KEY, builder);
	BN_free(n);
	return pkey;
}

/* RFC 8037 appendix A.1 */
static EVP_PKEY *rfc_ed25519_key(struct fixture *fixture)
{
	struct text d = decoded(fixture, "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
	return EVP_PKEY_new_raw_private_key(
		EVP_PKEY_ED25519, NULL, (const unsigned char *)d.at, d.length);
}

/* RFC 7515 appendix A.1 */
static void set_rfc_secret(struct fixture *fixture, struct signing_key *key)
{
	struct text k = decoded(fixture,
		"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z"
		"9CAow");
	assert_int_equal(k.length, sizeof(key->secret));
	memcpy(key->secret, k.at, k.length);
	key->secret_size = k.length;
}

static struct fixture *only;

static int set_up(void **state)
{
	static struct fixture fixture;
	static const char *const kids[ALGORITHM_COUNT] = { "k0", "k1", "k2", "k3" };
	for (int i = 0; i < ALGORITHM_COUNT; i++) {
		fixture.keys[i].algorithm = (enum algorithm)i;
		fixture.keys[i].kid = text_of(kids[i]);
		memset(fixture.keys[i].refresh, i + 1, DERIVED_KEY_SIZE);
	}
	fixture.keys[ALGORITHM_ES256].pkey = rfc_es256_key(&fixture);
	fixture.keys[ALGORITHM_EDDSA].pkey = rfc_ed25519_key(&fixture);
	fixture.keys[ALGORITHM_RS256].pkey = EVP_RSA_gen(2048);
	set_rfc_secret(&fixture, &fixture.keys[ALGORITHM_HS256]);
	for (int i = 0; i < ALGORITHM_HS256; i++)
		assert_true(signing_key_prepare(&fixture.keys[i]));
	fixture.keyring = (struct keyring){ .keys = fixture.keys,
		.count = ALGORITHM_COUNT,
		.current = &fixture.keys[ALGORITHM_ES256] };
	only = &fixture;
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	for (int i = 0; i < ALGORITHM_COUNT; i++) {
		EVP_MD_CTX_free(fixture->keys[i].signer);
		EVP_PKEY_free(fixture->keys[i].pkey);
	}
	arena_finish(&fixture->arena);
	return 0;
}

static bool verifies(struct fixture *fixture, struct text token)
{
	struct text payload;
	bool verified = jws_verify(&fixture->arena, &fixture->keyring, TYPE, token, &payload);
	assert_int_equal(ERR_peek_error(), 0);
	return verified;
}

static bool verifies_refresh(struct fixture *fixture, struct text token)
{
	struct text payload;
	return jws_verify_refresh(&fixture->arena, &fixture->keyring, TYPE, token, &payload);
}

static struct text sign(struct fixture *fixture, enum algorithm algorithm)
{
	struct text token = TEXT_NONE;
	assert_true(jws_sign(&fixture->arena, &fixture->keys[algorithm], TYPE, PAYLOAD, &token));
	return token;
}

/* header.payload under a header of our choice */
static struct text input_of(struct fixture *fixture, struct text header, struct text payload)
{
	struct text head = base64url_encode(&fixture->arena, header.at, header.length);
	struct text body = base64url_encode(&fixture->arena, payload.at, payload.length);
	return text_format(&fixture->arena, "%.*s.%.*s", TEXT_PRINTF(head), TEXT_PRINTF(body));
}

static struct text append(struct fixture *fixture, struct text input, struct text signature)
{
	struct text tail = base64url_encode(&fixture->arena, signature.at, signature.length);
	return text_format(&fixture->arena, "%.*s.%.*s", TEXT_PRINTF(input), TEXT_PRINTF(tail));
}

/* A token with that header, properly signed by that key. */
static struct text forge(struct fixture *fixture, const struct signing_key *key, struct text header)
{
	struct text input = input_of(fixture, header, PAYLOAD);
	struct text signature = TEXT_NONE;
	assert_true(jws_signature(&fixture->arena, key, input, &signature));
	return append(fixture, input, signature);
}

/* --- vectors --- */

static void fits_as_the_rfc_says(struct fixture *fixture, const struct signing_key *key,
	const char *input, const char *encoded)
{
	struct text message = text_of(input);
	struct text signature = decoded(fixture, encoded);
	assert_true(jws_signature_fits(key, message, signature));
	char *other = text_string(&fixture->arena, message);
	other[message.length - 1] ^= 1;
	assert_false(jws_signature_fits(key, text_of(other), signature));
}

static void makes_what_the_rfc_has(struct fixture *fixture, const struct signing_key *key,
	const char *input, const char *encoded)
{
	struct text expected = decoded(fixture, encoded);
	struct text signature;
	assert_true(jws_signature(&fixture->arena, key, text_of(input), &signature));
	assert_true(text_equal(signature, expected));
}

static void rfc_7515_a_1_hs256(void **state)
{
	static const char input[] = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." RFC_PAYLOAD;
	static const char signature[] = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
	struct fixture *fixture = *state;
	const struct signing_key *key = &fixture->keys[ALGORITHM_HS256];
	fits_as_the_rfc_says(fixture, key, input, signature);
	makes_what_the_rfc_has(fixture, key, input, signature);
}

static void rfc_7515_a_2_rs256(void **state)
{
	struct fixture *fixture = *state;
	struct signing_key key = { .algorithm = ALGORITHM_RS256, .pkey = rfc_rs256_key(fixture) };
	fits_as_the_rfc_says(fixture, &key, "eyJhbGciOiJSUzI1NiJ9." RFC_PAYLOAD,
		"cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5"
		"YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h"
		"6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZE"
		"Sc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0ig"
		"cN_IoypGlUPQGe77Rw");
	EVP_PKEY_free(key.pkey);
}

static void rfc_7515_a_3_es256(void **state)
{
	struct fixture *fixture = *state;
	fits_as_the_rfc_says(fixture, &fixture->keys[ALGORITHM_ES256],
		"eyJhbGciOiJFUzI1NiJ9." RFC_PAYLOAD,
		"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg"
		"6NU1Q");
}

static void rfc_8037_a_4_eddsa(void **state)
{
	static const char input[] = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
	static const char signature[] =
		"hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_Mu"
		"M0KAg";
	struct fixture *fixture = *state;
	const struct signing_key *key = &fixture->keys[ALGORITHM_EDDSA];
	fits_as_the_rfc_says(fixture, key, input, signature);
	makes_what_the_rfc_has(fixture, key, input, signature);
}

/* --- what is made --- */

static void every_algorithm_reads_what_it_signed(void **state)
{
	struct fixture *fixture = *state;
	for (int i = 0; i < ALGORITHM_COUNT; i++) {
		struct text token = sign(fixture, (enum algorithm)i);
		struct text payload;
		assert_true(jws_verify(&fixture->arena, &fixture->keyring, TYPE, token, &payload));
		assert_true(text_equal(payload, PAYLOAD));
	}
}

static void the_header_is_alg_typ_kid(void **state)
{
	struct fixture *fixture = *state;
	for (int i = 0; i < ALGORITHM_COUNT; i++) {
		struct text token = sign(fixture, (enum algorithm)i);
		struct text header;
		token.length = text_find(token, '.');
		assert_true(base64url_decode(&fixture->arena, token, &header));
		assert_true(text_equal(
			header, text_format(&fixture->arena,
					"{\"alg\":\"%s\",\"typ\":\"at+jwt\",\"kid\":\"k%d\"}",
					algorithm_name((enum algorithm)i), i)));
	}
}

/* r and s keep their 32 octets where they begin with zeros: one in 128 signatures does. */
static void es256_signatures_have_64_octets(void **state)
{
	struct fixture *fixture = *state;
	const struct signing_key *key = &fixture->keys[ALGORITHM_ES256];
	bool padded = false;
	for (int i = 0; i < 4000 && !padded; i++) {
		struct text message = text_format(&fixture->arena, "%d", i);
		struct text signature;
		assert_true(jws_signature(&fixture->arena, key, message, &signature));
		assert_int_equal(signature.length, 64);
		padded = signature.at[0] == 0 || signature.at[32] == 0;
		if (padded)
			assert_true(jws_signature_fits(key, message, signature));
	}
	assert_true(padded);
}

static void a_public_key_does_not_sign(void **state)
{
	struct fixture *fixture = *state;
	struct signing_key key = { .algorithm = ALGORITHM_RS256, .pkey = rfc_rs256_key(fixture) };
	struct text signature = TEXT("untouched");
	assert_false(jws_signature(&fixture->arena, &key, TEXT("message"), &signature));
	assert_true(text_equal(signature, TEXT("untouched")));
	assert_int_equal(ERR_peek_error(), 0);
	EVP_PKEY_free(key.pkey);
}

/* --- signatures that do not fit --- */

static void any_flipped_bit_is_seen(void **state)
{
	struct fixture *fixture = *state;
	for (int i = 0; i < ALGORITHM_COUNT; i++) {
		struct text token = sign(fixture, (enum algorithm)i);
		char *octets = text_string(&fixture->arena, token);
		for (size_t bit = 0; bit < token.length * 8; bit++) {
			octets[bit / 8] ^= (char)(1 << bit % 8);
			if (verifies(fixture, (struct text){ octets, token.length }))
				fail_msg("%s: bit %zu", token.at, bit);
			octets[bit / 8] ^= (char)(1 << bit % 8);
		}
		assert_true(verifies(fixture, (struct text){ octets, token.length }));
	}
}

static void a_signature_of_another_length_does_not_fit(void **state)
{
	struct fixture *fixture = *state;
	for (int i = 0; i < ALGORITHM_COUNT; i++) {
		const struct signing_key *key = &fixture->keys[i];
		struct text right;
		assert_true(jws_signature(&fixture->arena, key, TEXT("message"), &right));
		char *longer = arena_alloc(&fixture->arena, right.length + 1);
		memcpy(longer, right.at, right.length);
		assert_true(jws_signature_fits(key, TEXT("message"), right));
		for (size_t length = 0; length <= right.length + 1; length++)
			if (length != right.length)
				assert_false(jws_signature_fits(
					key, TEXT("message"), (struct text){ longer, length }));
		assert_int_equal(ERR_peek_error(), 0);
	}
}

/* CVE-2022-21449 and its kin */
static void es256_numbers_out_of_range_do_not_fit(void **state)
{
	struct fixture *fixture = *state;
	const struct signing_key *key = &fixture->keys[ALGORITHM_ES256];
	char signature[64];
	memset(signature, 0, sizeof(signature));
	assert_false(jws_signature_fits(key, TEXT("message"), (struct text){ signature, 64 }));
	memset(signature, 0xff, sizeof(signature));
	assert_false(jws_signature_fits(key, TEXT("message"), (struct text){ signature, 64 }));
	assert_int_equal(ERR_peek_error(), 0);
}

static void es256_in_der_does_not_fit(void **state)
{
	struct fixture *fixture = *state;
	const struct signing_key *key = &fixture->keys[ALGORITHM_ES256];
	unsigned char der[80];
	size_t size = sizeof(der);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key->pkey), 1);
	assert_int_equal(
		EVP_DigestSign(context, der, &size, (const unsigned char *)"message", 7), 1);
	EVP_MD_CTX_free(context);
	assert_false(
		jws_signature_fits(key, TEXT("message"), (struct text){ (const char *)der, size }));
}

/* --- headers --- */

static void headers_that_lie_are_refused(void **state)
{
	static const char *const bad[] = {
		"{\"alg\":\"none\",\"typ\":\"at+jwt\",\"kid\":\"k3\"}",
		"{\"alg\":\"hs256\",\"typ\":\"at+jwt\",\"kid\":\"k3\"}",
		"{\"alg\":\"HS384\",\"typ\":\"at+jwt\",\"kid\":\"k3\"}",
		"{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"k3\"}",
		"{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"k3\"}",
		"{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"k3\"}",
		"{\"alg\":\"\",\"typ\":\"at+jwt\",\"kid\":\"k3\"}",
		"{\"alg\":null,\"typ\":\"at+jwt\",\"kid\":\"k3\"}",
		"{\"alg\":[\"HS256\"],\"typ\":\"at+jwt\",\"kid\":\"k3\"}",
		"{\"alg\":\"HS256\\u0000\",\"typ\":\"at+jwt\",\"kid\":\"k3\"}",
		"{\"typ\":\"at+jwt\",\"kid\":\"k3\"}",
		"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"k4\"}",
		"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"K3\"}",
		"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"\"}",
		"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":3}",
		"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":[\"k3\"]}",
		"{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}",
		"{\"alg\":\"HS256\",\"kid\":\"k3\"}",
		"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"k3\"}",
		"{\"alg\":\"HS256\",\"typ\":\"rt+jwt\",\"kid\":\"k3\"}",
		"{\"alg\":\"HS256\",\"typ\":\"AT+JWT\",\"kid\":\"k3\"}",
		"{\"alg\":\"HS256\",\"typ\":\"application/at+jwt\",\"kid\":\"k3\"}",
		"{\"alg\":\"HS256\",\"typ\":\"at+jwt \",\"kid\":\"k3\"}",
		"{\"alg\":\"HS256\",\"typ\":[\"at+jwt\"],\"kid\":\"k3\"}",
		"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"k3\",\"crit\":[\"exp\"]}",
		"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"k3\",\"crit\":[]}",
		"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"k3\",\"crit\":null}",
		"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"k3\",\"jku\":\"https://"
		"example.com/keys\"}",
		"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"k3\",\"jwk\":{\"kty\":\"oct\","
		"\"k\":\"AQ\"}}",
		"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"k3\",\"x5u\":\"https://"
		"example.com/certificate\"}",
		"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"k3\",\"x5c\":[\"AQ\"]}",
		"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"k3\",\"x5t\":null}",
		"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"k3\",\"b64\":true}",
		"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"k3\",\"zip\":\"DEF\"}",
		"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"k3\",\"cty\":\"JWT\"}",
		"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"k3\",\"x\":1}",
		"{\"alg\":\"none\",\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"k3\"}",
		"{\"alg\":\"HS256\",\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"k3\"}",
		"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"k3\"} {}",
		"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"k3\"",
		"[{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"k3\"}]",
		"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"k3\",\"x\":\"\xff\"}",
		"\"HS256\"",
		"null",
		"",
	};
	struct fixture *fixture = *state;
	const struct signing_key *key = &fixture->keys[ALGORITHM_HS256];
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (verifies(fixture, forge(fixture, key, text_of(bad[i]))))
			fail_msg("taken: %s", bad[i]);
}

/* The same forger, without a lie: what the table above refuses is refused for its lie. */
static void headers_that_are_right_are_taken(void **state)
{
	static const char *const good[] = {
		"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"k3\"}",
		" {\"kid\" : \"k3\", \"typ\" : \"at+jwt\", \"alg\" : \"HS256\"} ",
		"{\"alg\":\"HS256\",\"typ\":\"at\\u002bjwt\",\"kid\":\"k3\"}",
	};
	struct fixture *fixture = *state;
	const struct signing_key *key = &fixture->keys[ALGORITHM_HS256];
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!verifies(fixture, forge(fixture, key, text_of(good[i]))))
			fail_msg("refused: %s", good[i]);
}

static void none_without_a_signature_is_refused(void **state)
{
	struct fixture *fixture = *state;
	for (int i = 0; i < ALGORITHM_COUNT; i++) {
		struct text none = text_format(&fixture->arena,
			"{\"alg\":\"none\",\"typ\":\"at+jwt\",\"kid\":\"k%d\"}", i);
		struct text own = text_format(&fixture->arena,
			"{\"alg\":\"%s\",\"typ\":\"at+jwt\",\"kid\":\"k%d\"}",
			algorithm_name((enum algorithm)i), i);
		assert_false(verifies(
			fixture, append(fixture, input_of(fixture, none, PAYLOAD), TEXT(""))));
		assert_false(verifies(
			fixture, append(fixture, input_of(fixture, own, PAYLOAD), TEXT(""))));
	}
}

/* RFC 8725 section 2.1: the public key as the secret of an HMAC. */
static void a_public_key_is_no_secret(void **state)
{
	static const enum algorithm algorithms[] = { ALGORITHM_ES256, ALGORITHM_EDDSA,
		ALGORITHM_RS256 };
	struct fixture *fixture = *state;
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
		unsigned char *der = NULL;
		int size = i2d_PUBKEY(fixture->keys[algorithms[i]].pkey, &der);
		assert_true(size > 0);
		struct signing_key secret = { .algorithm = ALGORITHM_HS256 };
		secret.secret_size =
			(size_t)size < sizeof(secret.secret) ? (size_t)size : sizeof(secret.secret);
		memcpy(secret.secret, der, secret.secret_size);
		OPENSSL_free(der);
		for (int said = 0; said < ALGORITHM_COUNT; said++) {
			struct text header = text_format(&fixture->arena,
				"{\"alg\":\"%s\",\"typ\":\"at+jwt\",\"kid\":\"k%d\"}",
				algorithm_name((enum algorithm)said), (int)algorithms[i]);
			assert_false(verifies(fixture, forge(fixture, &secret, header)));
		}
	}
}

/* Each key signs a header that names another. */
static void a_key_does_not_speak_for_another(void **state)
{
	struct fixture *fixture = *state;
	for (int named = 0; named < ALGORITHM_COUNT; named++)
		for (int signs = 0; signs < ALGORITHM_COUNT; signs++) {
			struct text header = text_format(&fixture->arena,
				"{\"alg\":\"%s\",\"typ\":\"at+jwt\",\"kid\":\"k%d\"}",
				algorithm_name((enum algorithm)named), named);
			assert_int_equal(
				verifies(fixture, forge(fixture, &fixture->keys[signs], header)),
				named == signs);
		}
}

static void a_key_that_was_taken_away_verifies_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct text token = sign(fixture, ALGORITHM_HS256);
	struct text refresh = TEXT_NONE;
	assert_true(jws_sign_refresh(
		&fixture->arena, &fixture->keys[ALGORITHM_HS256], TYPE, PAYLOAD, &refresh));
	assert_true(verifies(fixture, token));
	assert_true(verifies_refresh(fixture, refresh));
	fixture->keyring.count--;
	assert_false(verifies(fixture, token));
	assert_false(verifies_refresh(fixture, refresh));
}

/* --- form --- */

static void other_forms_are_refused(void **state)
{
	struct fixture *fixture = *state;
	struct arena *arena = &fixture->arena;
	const char *token = text_string(arena, sign(fixture, ALGORITHM_HS256));
	const char *payload = strchr(token, '.') + 1;
	const char *signature = strchr(payload, '.') + 1;
	int head = (int)(payload - token - 1);
	int body = (int)(signature - payload - 1);
	const char *const bad[] = {
		"",
		".",
		"..",
		"...",
		"a.b.c",
		arena_format(arena, ".%s", token),
		arena_format(arena, "%s.", token),
		arena_format(arena, "%s.e30", token),
		arena_format(arena, "%s..", token),
		arena_format(arena, " %s", token),
		arena_format(arena, "%s ", token),
		arena_format(arena, "%s\n", token),
		arena_format(arena, "%s=", token),
		arena_format(arena, "%.*s=.%s", head, token, payload),
		arena_format(arena, "%.*s..%s", head, token, payload),
		arena_format(arena, "%.*s.%s", head, token, signature),
		arena_format(arena, "%.*s..%s", head, token, signature),
		arena_format(arena, ".%.*s.%s", body, payload, signature),
		arena_format(arena, "%.*s", head + 1 + body, token),
		arena_format(arena, "%.*s.", head + 1 + body, token),
		arena_format(arena, "%s.%.*s", token, head, token),
	};
	assert_true(verifies(fixture, text_of(token)));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (verifies(fixture, text_of(bad[i])))
			fail_msg("taken: %s", bad[i]);
	assert_false(verifies(fixture, TEXT_NONE));
	/* with the NUL behind it */
	assert_false(verifies(fixture, (struct text){ token, strlen(token) + 1 }));
}

/* 32 octets leave two bits of the last character: four spellings, of which one is canonical. */
static void a_signature_has_one_spelling(void **state)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	struct fixture *fixture = *state;
	struct text token = sign(fixture, ALGORITHM_HS256);
	char *octets = text_string(&fixture->arena, token);
	char *last = octets + token.length - 1;
	size_t index = (size_t)(strchr(alphabet, *last) - alphabet);
	assert_int_equal(index % 4, 0);
	for (size_t spelling = 1; spelling < 4; spelling++) {
		*last = alphabet[index + spelling];
		assert_false(verifies(fixture, text_of(octets)));
	}
}

/* The alphabet is base64url's: '+' and '/' are none of it. */
static void the_other_alphabet_is_refused(void **state)
{
	struct fixture *fixture = *state;
	const struct signing_key *key = &fixture->keys[ALGORITHM_HS256];
	bool seen = false;
	for (int i = 0; i < 1000 && !seen; i++) {
		struct text token = TEXT_NONE;
		assert_true(jws_sign(
			&fixture->arena, key, TYPE, text_format(&fixture->arena, "%d", i), &token));
		char *octets = text_string(&fixture->arena, token);
		for (char *at = octets; *at; at++) {
			seen |= *at == '-' || *at == '_';
			*at = *at == '-' ? '+' : *at == '_' ? '/' : *at;
		}
		assert_int_equal(verifies(fixture, text_of(octets)), !seen);
	}
	assert_true(seen);
}

static void tokens_are_as_long_as_the_maximum_at_most(void **state)
{
	struct fixture *fixture = *state;
	const struct signing_key *key = &fixture->keys[ALGORITHM_HS256];
	bool reached = false;
	bool passed = false;
	for (size_t size = 2900; !passed; size++) {
		struct text payload = { arena_alloc(&fixture->arena, size), size };
		struct text token = TEXT_NONE;
		assert_true(jws_sign(&fixture->arena, key, TYPE, payload, &token));
		passed = token.length > JWS_MAXIMUM;
		reached |= token.length > JWS_MAXIMUM - 2;
		assert_int_equal(verifies(fixture, token), !passed);
		assert_true(jws_sign_refresh(&fixture->arena, key, TYPE, payload, &token));
		assert_int_equal(verifies_refresh(fixture, token), !passed);
	}
	assert_true(reached);
}

/* --- refresh tokens --- */

static void the_same_refresh_payload_is_the_same_token(void **state)
{
	struct fixture *fixture = *state;
	for (int i = 0; i < ALGORITHM_COUNT; i++) {
		const struct signing_key *key = &fixture->keys[i];
		struct text first = TEXT_NONE;
		struct text second = TEXT_NONE;
		struct text payload;
		assert_true(jws_sign_refresh(&fixture->arena, key, TYPE, PAYLOAD, &first));
		assert_true(jws_sign_refresh(&fixture->arena, key, TYPE, PAYLOAD, &second));
		assert_true(text_equal(first, second));
		assert_true(jws_verify_refresh(
			&fixture->arena, &fixture->keyring, TYPE, first, &payload));
		assert_true(text_equal(payload, PAYLOAD));
	}
}

/* Even where both are HS256, under one kid, with one typ: the keys differ. */
static void access_and_refresh_do_not_pass_for_one_another(void **state)
{
	struct fixture *fixture = *state;
	for (int i = 0; i < ALGORITHM_COUNT; i++) {
		struct text refresh = TEXT_NONE;
		assert_false(verifies_refresh(fixture, sign(fixture, (enum algorithm)i)));
		assert_true(jws_sign_refresh(
			&fixture->arena, &fixture->keys[i], TYPE, PAYLOAD, &refresh));
		assert_true(verifies_refresh(fixture, refresh));
		assert_false(verifies(fixture, refresh));
	}
}

/* Signed with the refresh key: only the header is wrong. */
static void refresh_headers_that_lie_are_refused(void **state)
{
	static const struct {
		const char *header;
		bool right;
	} rows[] = {
		{ "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"k0\"}", true },
		{ "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"k0\"}", false },
		{ "{\"alg\":\"none\",\"typ\":\"at+jwt\",\"kid\":\"k0\"}", false },
		{ "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"k0\"}", false },
		{ "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"k1\"}", false },
		{ "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"k0\",\"crit\":[]}", false },
	};
	struct fixture *fixture = *state;
	struct signing_key key = { .algorithm = ALGORITHM_HS256, .secret_size = DERIVED_KEY_SIZE };
	memcpy(key.secret, fixture->keys[0].refresh, DERIVED_KEY_SIZE);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text token = forge(fixture, &key, text_of(rows[i].header));
		if (verifies_refresh(fixture, token) != rows[i].right)
			fail_msg("%s", rows[i].header);
	}
}

static void a_payload_is_written_on_success_only(void **state)
{
	struct fixture *fixture = *state;
	struct text payload = TEXT("untouched");
	struct text token = sign(fixture, ALGORITHM_HS256);
	assert_false(jws_verify(&fixture->arena, &fixture->keyring, "other", token, &payload));
	assert_false(jws_verify_refresh(&fixture->arena, &fixture->keyring, TYPE, token, &payload));
	assert_true(text_equal(payload, TEXT("untouched")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_test, NULL)

/* Keys are made once: RSA takes its time. What a test changed is put right for the next. */
static int set_up_test(void **state)
{
	only->keyring.count = ALGORITHM_COUNT;
	arena_reset(&only->arena);
	ERR_clear_error();
	*state = only;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rfc_7515_a_1_hs256),
		TEST(rfc_7515_a_2_rs256),
		TEST(rfc_7515_a_3_es256),
		TEST(rfc_8037_a_4_eddsa),
		TEST(every_algorithm_reads_what_it_signed),
		TEST(the_header_is_alg_typ_kid),
		TEST(es256_signatures_have_64_octets),
		TEST(a_public_key_does_not_sign),
		TEST(any_flipped_bit_is_seen),
		TEST(a_signature_of_another_length_does_not_fit),
		TEST(es256_numbers_out_of_range_do_not_fit),
		TEST(es256_in_der_does_not_fit),
		TEST(headers_that_lie_are_refused),
		TEST(headers_that_are_right_are_taken),
		TEST(none_without_a_signature_is_refused),
		TEST(a_public_key_is_no_secret),
		TEST(a_key_does_not_speak_for_another),
		TEST(a_key_that_was_taken_away_verifies_nothing),
		TEST(other_forms_are_refused),
		TEST(a_signature_has_one_spelling),
		TEST(the_other_alphabet_is_refused),
		TEST(tokens_are_as_long_as_the_maximum_at_most),
		TEST(the_same_refresh_payload_is_the_same_token),
		TEST(access_and_refresh_do_not_pass_for_one_another),
		TEST(refresh_headers_that_lie_are_refused),
		TEST(a_payload_is_written_on_success_only),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
