/* SPDX-License-Identifier: MIT */
/*
 * A folder of PEM files is all the service keeps outside the database. Each key is loaded once,
 * before workers are forked, and what else needs a secret is derived from it: so a rotation
 * of keys rotates everything, and a stolen database is no key.
 */
#include "tokens/keyring.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/secret.h"
#include "tokens/jwk.h"
#include "tokens/key_folder.h"

#define HMAC_LABEL "HMAC SECRET"
#define HMAC_MINIMUM 32

const char *algorithm_name(enum algorithm algorithm)
{
	static const char *const names[ALGORITHM_COUNT] = { "ES256", "EdDSA", "RS256", "HS256" };
	return names[algorithm];
}

/* HKDF-SHA256 without salt; info says what the key is for. */
static bool derive(const unsigned char *from, size_t size, const char *info,
	unsigned char key[DERIVED_KEY_SIZE])
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
	char digest[] = "SHA256";
	char label[64];
	snprintf(label, sizeof(label), "%s", info);
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)from, size),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, label, strlen(label)),
		OSSL_PARAM_construct_end(),
	};
	bool derived = context && EVP_KDF_derive(context, key, DERIVED_KEY_SIZE, parameters) == 1;
	EVP_KDF_CTX_free(context);
	EVP_KDF_free(kdf);
	return derived;
}

static bool derive_all(struct signing_key *key, const unsigned char *from, size_t size)
{
	return derive(from, size, "latchkey refresh token", key->refresh) &&
	       derive(from, size, "latchkey seal", key->seal);
}

/* Which algorithm a key is for; each kind of key has one (RFC 8725 section 3.1). */
static bool algorithm_of(EVP_PKEY *pkey, enum algorithm *algorithm)
{
	char group[32] = "";
	if (EVP_PKEY_is_a(pkey, "ED25519"))
		*algorithm = ALGORITHM_EDDSA;
	else if (EVP_PKEY_is_a(pkey, "RSA") && EVP_PKEY_get_bits(pkey) >= 2048)
		*algorithm = ALGORITHM_RS256;
	else if (EVP_PKEY_is_a(pkey, "EC") &&
		 EVP_PKEY_get_utf8_string_param(
			 pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), NULL) &&
		 strcmp(group, "prime256v1") == 0)
		*algorithm = ALGORITHM_ES256;
	else
		return false;
	return true;
}

bool signing_key_prepare(struct signing_key *key)
{
	/* finding the algorithm takes a tenth as long as signing */
	key->signer = EVP_MD_CTX_new();
	return key->signer && EVP_DigestSignInit(key->signer, NULL,
				      key->algorithm == ALGORITHM_EDDSA ? NULL : EVP_sha256(), NULL,
				      key->pkey) == 1;
}

/* NULL, or what is wrong with the key. */
static const char *complete_pkey(struct keyring *keyring, struct signing_key *key, EVP_PKEY *pkey)
{
	const char *wrong = NULL;
	PKCS8_PRIV_KEY_INFO *info = NULL;
	unsigned char *der = NULL;
	int size = 0;
	key->pkey = pkey;
	if (!algorithm_of(pkey, &key->algorithm)) {
		wrong = "it is neither a P-256, an Ed25519, nor an RSA key of 2048 bits or more";
		goto out;
	}
	if (!signing_key_prepare(key)) {
		wrong = "OpenSSL cannot sign with it";
		goto out;
	}
	/* PKCS #8, whatever form the file has: the same key derives the same keys */
	info = EVP_PKEY2PKCS8(pkey);
	size = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : 0;
	if (size <= 0 || !derive_all(key, der, (size_t)size) ||
		!jwk_thumbprint(&keyring->arena, key, &key->kid))
		wrong = "OpenSSL cannot use it";
out:
	if (der)
		OPENSSL_clear_free(der, (size_t)size);
	PKCS8_PRIV_KEY_INFO_free(info);
	return wrong;
}

/* The kid of an HMAC key says nothing of the key: half of a digest that nothing else uses. */
static const char *complete_hmac(
	struct keyring *keyring, struct signing_key *key, const unsigned char *secret, long size)
{
	unsigned char digest[SHA256_SIZE];
	if (size < HMAC_MINIMUM || size > (long)sizeof(key->secret))
		return "an HMAC key has 32 to 64 octets";
	key->algorithm = ALGORITHM_HS256;
	memcpy(key->secret, secret, (size_t)size);
	key->secret_size = (size_t)size;
	char *named = arena_alloc(&keyring->arena, 16 + (size_t)size);
	memcpy(named, "latchkey kid", 12);
	memcpy(named + 12, secret, (size_t)size);
	secret_sha256((struct text){ named, 12 + (size_t)size }, digest);
	secret_cleanse(named, 12 + (size_t)size);
	key->kid = base64url_encode(&keyring->arena, digest, sizeof(digest) / 2);
	return derive_all(key, secret, (size_t)size) ? NULL : "OpenSSL cannot use it";
}

/* An encrypted file must not make the service ask a terminal. */
static int refuse_passphrase(char *buffer, int size, int writing, void *context)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)context;
	return -1;
}

static const char *read_key(struct keyring *keyring, struct signing_key *key, FILE *file)
{
	char *label = NULL;
	char *header = NULL;
	unsigned char *octets = NULL;
	long size = 0;
	const char *wrong = "it is no PEM file";
	if (PEM_read(file, &label, &header, &octets, &size) != 1)
		goto out;
	if (strcmp(label, HMAC_LABEL) == 0) {
		wrong = complete_hmac(keyring, key, octets, size);
		goto out;
	}
	rewind(file);
	EVP_PKEY *pkey = PEM_read_PrivateKey(file, NULL, refuse_passphrase, NULL);
	wrong = pkey ? complete_pkey(keyring, key, pkey)
		     : "it holds no private key, or one with a passphrase";
out:
	ERR_clear_error();
	OPENSSL_free(label);
	OPENSSL_free(header);
	if (octets)
		OPENSSL_clear_free(octets, (size_t)size);
	return wrong;
}

/* NULL, or what is wrong with the file. */
static const char *load_key(struct keyring *keyring, struct signing_key *key, const char *path)
{
	struct stat status;
	const char *wrong = NULL;
	/* a pipe by that name must not make the start wait for somebody to write */
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	FILE *file = descriptor >= 0 ? fdopen(descriptor, "r") : NULL;
	if (!file || fstat(descriptor, &status) != 0) {
		wrong = errno == EACCES ? "the service's user may not read it: chgrp it to that "
					  "user's group and chmod 0640 it"
					: strerror(errno);
		goto out;
	}
	key->path = path;
	if (!S_ISREG(status.st_mode))
		wrong = "it is no regular file";
	else if (status.st_mode & (S_IWGRP | S_IRWXO))
		wrong = "others may read or write it: chmod g-w,o-rwx it";
	else
		wrong = read_key(keyring, key, file);
out:
	if (file)
		fclose(file);
	else if (descriptor >= 0)
		close(descriptor);
	return wrong;
}

static int is_pem(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);
	return entry->d_name[0] != '.' && length > 4 &&
	       strcmp(entry->d_name + length - 4, ".pem") == 0;
}

static int by_octets(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static const char *choose_current(
	struct keyring *keyring, const char *folder, enum algorithm wanted, struct arena *errors)
{
	for (size_t i = 0; i < keyring->count; i++)
		if (keyring->keys[i].algorithm == wanted)
			keyring->current = &keyring->keys[i];
	if (keyring->current)
		return NULL;
	return arena_format(errors, "tokens.keys: there is no %s key in %s; run latchkey keys new",
		algorithm_name(wanted), folder);
}

/* NULL, or what is wrong with the folder. */
static const char *check_folder(const char *folder, struct arena *errors)
{
	struct stat status;
	const char *remedy = "latchkey keys new makes it";
	if (access(folder, R_OK | X_OK) == 0 && stat(folder, &status) == 0) {
		const char *wrong = key_folder_check(errors, &status);
		return wrong ? arena_format(errors, "tokens.keys: %s: %s", folder, wrong) : NULL;
	}
	if (errno == EACCES)
		remedy = "the service's user has to: chgrp it to that user's group and chmod 0750 "
			 "it";
	return arena_format(errors, "tokens.keys: cannot read folder %s: %s; %s", folder,
		strerror(errno), remedy);
}

/* NULL, or what is wrong with one of the files. */
static const char *load_all(struct keyring *keyring, const char *folder, struct arena *errors)
{
	struct dirent **entries = NULL;
	const char *wrong = NULL;
	int count = scandir(folder, &entries, is_pem, by_octets);
	if (count < 0)
		return arena_format(
			errors, "tokens.keys: cannot read folder %s: %s", folder, strerror(errno));
	keyring->keys = arena_alloc(&keyring->arena, (size_t)count * sizeof(*keyring->keys));
	for (int i = 0; i < count; i++) {
		const char *path =
			arena_format(&keyring->arena, "%s/%s", folder, entries[i]->d_name);
		const char *fault =
			wrong ? NULL : load_key(keyring, &keyring->keys[keyring->count++], path);
		if (fault)
			wrong = arena_format(errors, "tokens.keys: %s: %s", path, fault);
		free(entries[i]);
	}
	free(entries);
	return wrong;
}

const char *keyring_open(
	struct keyring *keyring, const char *folder, enum algorithm wanted, struct arena *errors)
{
	memset(keyring, 0, sizeof(*keyring));
	arena_init(&keyring->arena);
	const char *wrong = check_folder(folder, errors);
	if (!wrong)
		wrong = load_all(keyring, folder, errors);
	if (!wrong)
		wrong = choose_current(keyring, folder, wanted, errors);
	if (wrong)
		keyring_close(keyring);
	return wrong;
}

void keyring_close(struct keyring *keyring)
{
	for (size_t i = 0; i < keyring->count; i++) {
		EVP_MD_CTX_free(keyring->keys[i].signer);
		EVP_PKEY_free(keyring->keys[i].pkey);
	}
	arena_finish(&keyring->arena);
	memset(keyring, 0, sizeof(*keyring));
}

const struct signing_key *keyring_find(const struct keyring *keyring, struct text kid)
{
	for (size_t i = 0; i < keyring->count; i++)
		if (text_equal(keyring->keys[i].kid, kid))
			return &keyring->keys[i];
	return NULL;
}

bool keyring_jwks(const struct keyring *keyring, struct arena *arena, struct text *jwks)
{
	struct json_writer json;
	json_begin(&json, arena);
	json_open_object(&json, NULL);
	json_open_array(&json, "keys");
	for (size_t i = 0; i < keyring->count; i++)
		if (keyring->keys[i].pkey && !jwk_write(&json, arena, &keyring->keys[i]))
			return false;
	json_close_array(&json);
	json_close_object(&json);
	return json_end(&json, jwks);
}
