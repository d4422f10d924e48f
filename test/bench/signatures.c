/* SPDX-License-Identifier: MIT */
/*
 * What OpenSSL's signature operations cost, in microseconds of processor time for each: those that
 * are in an access token (ES256) and in a refresh token (HS256), over 300 octets.
 *     signatures ROUNDS
 */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static unsigned char message[300];
static unsigned char secret[32];
static unsigned char signature[128];
static size_t size;

static bool sign(EVP_PKEY *key)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size = sizeof(signature);
	bool done = EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
		    EVP_DigestSign(context, signature, &size, message, sizeof(message)) == 1;
	EVP_MD_CTX_free(context);
	return done;
}

static bool verify(EVP_PKEY *key)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool done = EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
		    EVP_DigestVerify(context, signature, size, message, sizeof(message)) == 1;
	EVP_MD_CTX_free(context);
	return done;
}

static bool mac(EVP_PKEY *key)
{
	unsigned char octets[32];
	unsigned length = sizeof(octets);
	(void)key;
	return HMAC(EVP_sha256(), secret, sizeof(secret), message, sizeof(message), octets,
		       &length) != NULL;
}

static double processor_time(void)
{
	struct timespec time;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static void measure(const char *name, bool (*operation)(EVP_PKEY *), EVP_PKEY *key, int rounds)
{
	double start = processor_time();
	for (int i = 0; i < rounds; i++)
		if (!operation(key))
			exit(1);
	printf("%s %.3f\n", name, (processor_time() - start) / rounds);
}

int main(int count, char **arguments)
{
	int rounds = count == 2 ? atoi(arguments[1]) : 0;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	if (rounds < 1 || !key) {
		fprintf(stderr, "signatures ROUNDS\n");
		return 1;
	}
	measure("es256_sign", sign, key, rounds);
	measure("es256_verify", verify, key, rounds);
	measure("hs256", mac, key, rounds);
	EVP_PKEY_free(key);
	return 0;
}
