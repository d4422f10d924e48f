/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_TOKENS_KEYRING_H
#define LATCHKEY_TOKENS_KEYRING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/text.h"

#define DERIVED_KEY_SIZE 32

/* In the order of the setting tokens.algorithm. RFC 7518 section 3.1, RFC 8037. */
enum algorithm { ALGORITHM_ES256, ALGORITHM_EDDSA, ALGORITHM_RS256, ALGORITHM_HS256 };
#define ALGORITHM_COUNT 4

/* The name as JOSE headers spell it: "ES256", "EdDSA", "RS256", "HS256". */
const char *algorithm_name(enum algorithm algorithm);

/*
 * One key and all that is done with it. The algorithm belongs to the key and is never taken
 * from a token (RFC 8725 section 3.1).
 *
 * kid is the RFC 7638 thumbprint of a public key. An HMAC key's thumbprint would be a digest of
 * the secret, in every token for all to guess against, so its kid is base64url of the first 16
 * octets of SHA-256("latchkey kid" || secret), of which a secret of 32 random octets is safe.
 *
 * The two derived keys come from the private key by HKDF-SHA256 (RFC 5869), so that a folder of
 * PEM files is all there is to keep: refresh signs refresh tokens, which nobody but the service
 * reads; seal encrypts one-time tokens on their way to the mail server.
 */
struct signing_key {
	enum algorithm algorithm;
	struct text kid;
	void *pkey; /* EVP_PKEY; NULL for HS256 */
	void *signer; /* EVP_MD_CTX, ready to sign with it, to be copied; NULL for HS256 */
	unsigned char secret[64]; /* HS256 only */
	size_t secret_size;
	unsigned char refresh[DERIVED_KEY_SIZE];
	unsigned char seal[DERIVED_KEY_SIZE];
	const char *path; /* the file it came from */
};

/* Makes the signer of a key with a private pkey. False where OpenSSL cannot sign with it. */
__attribute__((warn_unused_result)) bool signing_key_prepare(struct signing_key *key);

/* The keys of one folder, sorted by file name. Read once, before workers are forked. */
struct keyring {
	struct arena arena;
	struct signing_key *keys;
	size_t count;
	const struct signing_key *current; /* signs: the last of the wanted algorithm */
};

/*
 * Reads every *.pem of the folder. Returns NULL, or what is wrong and what to do about it, in
 * the arena `errors`: no folder, one that others may write or that belongs to a third user, a file that
 * others may read, a key that is no P-256, Ed25519, RSA (2048 bits at least) or HMAC key (32 to 64
 * octets, PEM label "HMAC SECRET"), no key of the wanted algorithm. Then the keyring is as after
 * keyring_close().
 */
__attribute__((warn_unused_result)) const char *keyring_open(
	struct keyring *keyring, const char *folder, enum algorithm wanted, struct arena *errors);

/* Cleanses and frees; a zeroed keyring is taken too. */
void keyring_close(struct keyring *keyring);

/* The key of that kid, or NULL. */
const struct signing_key *keyring_find(const struct keyring *keyring, struct text kid);

/* The public keys as a JWK Set (RFC 7517 section 5), JSON, in the arena. HMAC keys are left out. */
__attribute__((warn_unused_result)) bool keyring_jwks(
	const struct keyring *keyring, struct arena *arena, struct text *jwks);

/*
 * Makes a key and writes it to a new file in the folder, named <UTC time>-<algorithm>.pem, complete
 * before it has that name. A name that is taken gets a number: names sort in the order of making. The
 * file is mode 0600; where root makes it, it belongs to owner and group of the folder; a group that may
 * look into the folder may read it (0640). A folder that is not there is made, one that others may
 * write is refused. Returns NULL and the path, or what is wrong; both in the arena.
 */
__attribute__((warn_unused_result)) const char *keyring_create(
	const char *folder, enum algorithm algorithm, struct arena *arena, const char **path);

#endif
