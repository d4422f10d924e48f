/* SPDX-License-Identifier: MIT */
/*
 * A one-time token is in the mail, and nowhere else in the clear: the database has its digest to
 * find it by, and in the outbox, until the mail is out, a sealed copy that is of no use without a
 * key that the database does not have.
 */
#include "tokens/onetime.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#define NONCE_SIZE 12
#define TAG_SIZE 16
#define TOKEN_LENGTH 43

struct onetime onetime_create(struct arena *arena)
{
	unsigned char octets[ONETIME_SIZE];
	struct onetime onetime;
	secret_random(octets, sizeof(octets));
	onetime.token = base64url_encode(arena, octets, sizeof(octets));
	secret_cleanse(octets, sizeof(octets));
	secret_sha256(onetime.token, onetime.digest);
	return onetime;
}

bool onetime_digest(struct arena *arena, struct text token, unsigned char digest[SHA256_SIZE])
{
	struct text octets;
	if (token.length != TOKEN_LENGTH || !base64url_decode(arena, token, &octets))
		return false;
	secret_sha256(token, digest);
	return true;
}

/* nonce || ciphertext || tag; box has room for all three. */
static bool encrypt(
	const unsigned char *key, struct text token, struct text bound, unsigned char *box)
{
	unsigned char *nonce = box;
	unsigned char *ciphertext = box + NONCE_SIZE;
	int length;
	secret_random(nonce, NONCE_SIZE);
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	bool done = context &&
		    EVP_EncryptInit_ex2(context, EVP_aes_256_gcm(), key, nonce, NULL) == 1 &&
		    EVP_EncryptUpdate(context, NULL, &length, (const unsigned char *)bound.at,
			    (int)bound.length) == 1 &&
		    EVP_EncryptUpdate(context, ciphertext, &length, (const unsigned char *)token.at,
			    (int)token.length) == 1 &&
		    EVP_EncryptFinal_ex(context, ciphertext + length, &length) == 1 &&
		    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE,
			    ciphertext + token.length) == 1;
	EVP_CIPHER_CTX_free(context);
	ERR_clear_error();
	return done;
}

static bool decrypt(
	const unsigned char *key, struct text box, struct text bound, unsigned char *token)
{
	unsigned char tag[TAG_SIZE];
	const unsigned char *nonce = (const unsigned char *)box.at;
	const unsigned char *ciphertext = nonce + NONCE_SIZE;
	int size = (int)(box.length - NONCE_SIZE - TAG_SIZE);
	int length;
	memcpy(tag, ciphertext + size, TAG_SIZE);
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	bool done = context &&
		    EVP_DecryptInit_ex2(context, EVP_aes_256_gcm(), key, nonce, NULL) == 1 &&
		    EVP_DecryptUpdate(context, NULL, &length, (const unsigned char *)bound.at,
			    (int)bound.length) == 1 &&
		    EVP_DecryptUpdate(context, token, &length, ciphertext, size) == 1 &&
		    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag) == 1 &&
		    EVP_DecryptFinal_ex(context, token + length, &length) == 1;
	EVP_CIPHER_CTX_free(context);
	ERR_clear_error();
	return done;
}

bool onetime_seal(struct arena *arena, const struct keyring *keyring, struct text token,
	struct text bound, struct text *sealed)
{
	size_t size = NONCE_SIZE + token.length + TAG_SIZE;
	unsigned char *box = arena_alloc(arena, size);
	if (!encrypt(keyring->current->seal, token, bound, box))
		return false;
	struct text encoded = base64url_encode(arena, box, size);
	*sealed = text_format(
		arena, "%.*s.%.*s", TEXT_PRINTF(keyring->current->kid), TEXT_PRINTF(encoded));
	return true;
}

bool onetime_open(struct arena *arena, const struct keyring *keyring, struct text sealed,
	struct text bound, struct text *token)
{
	size_t dot = text_find(sealed, '.');
	const struct signing_key *key = keyring_find(keyring, (struct text){ sealed.at, dot });
	struct text box;
	if (!key || !base64url_decode(arena, text_after(sealed, dot + 1), &box) ||
		box.length < NONCE_SIZE + TAG_SIZE)
		return false;
	size_t length = box.length - NONCE_SIZE - TAG_SIZE;
	unsigned char *opened = arena_alloc(arena, length + 1);
	if (!decrypt(key->seal, box, bound, opened))
		return false;
	*token = (struct text){ (const char *)opened, length };
	return true;
}
