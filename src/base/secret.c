/* SPDX-License-Identifier: MIT */
#include "base/secret.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void secret_random(void *octets, size_t size)
{
	if (RAND_bytes(octets, (int)size) != 1) {
		fprintf(stderr, "latchkey: this machine gives no random numbers\n");
		abort();
	}
}

bool secret_equal(const void *a, const void *b, size_t size)
{
	return CRYPTO_memcmp(a, b, size) == 0;
}

void secret_cleanse(void *octets, size_t size)
{
	explicit_bzero(octets, size);
}

void secret_sha256(struct text message, unsigned char digest[SHA256_SIZE])
{
	if (EVP_Digest(message.at, message.length, digest, NULL, EVP_sha256(), NULL) != 1) {
		fprintf(stderr, "latchkey: this OpenSSL has no SHA-256\n");
		abort();
	}
}
