/* SPDX-License-Identifier: MIT */
/*
 * A new key is complete, on the disk, and readable by whoever reads the folder's other keys before it
 * has its name. Root makes it as often as the service's user does, so it gets owner and group of its
 * folder; whatever root does there is done by a descriptor of the folder, for the folder may be another
 * user's, who could put links in its place meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/secret.h"
#include "tokens/key_folder.h"
#include "tokens/keyring.h"

static bool write_pkey(FILE *file, EVP_PKEY *pkey)
{
	bool written = pkey && PEM_write_PrivateKey(file, pkey, NULL, NULL, 0, NULL, NULL) == 1;
	EVP_PKEY_free(pkey);
	return written;
}

static bool write_hmac(FILE *file)
{
	unsigned char secret[32];
	secret_random(secret, sizeof(secret));
	int size = PEM_write(file, "HMAC SECRET", "", secret, sizeof(secret));
	secret_cleanse(secret, sizeof(secret));
	return size > 0;
}

static bool write_key(FILE *file, enum algorithm algorithm)
{
	switch (algorithm) {
	case ALGORITHM_ES256:
		return write_pkey(file, EVP_EC_gen("P-256"));
	case ALGORITHM_EDDSA:
		return write_pkey(file, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	case ALGORITHM_RS256:
		return write_pkey(file, EVP_RSA_gen(2048));
	case ALGORITHM_HS256:
		break;
	}
	return write_hmac(file);
}

/* <UTC time>-<algorithm>.pem, and where that is taken, with a number that sorts behind it:
 * '.' stands before '_'. */
static const char *name_of(
	struct arena *arena, time_t now, enum algorithm algorithm, unsigned number)
{
	static const char *const names[ALGORITHM_COUNT] = { "es256", "eddsa", "rs256", "hs256" };
	char when[32];
	struct tm utc;
	strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
	if (number == 0)
		return arena_format(arena, "%s-%s.pem", when, names[algorithm]);
	return arena_format(arena, "%s-%s_%02u.pem", when, names[algorithm], number);
}

/* A new file in the folder by a name that nobody can expect, empty, its owner's alone. */
static int make_file(int folder, struct arena *arena, const char **name)
{
	unsigned char random[12];
	secret_random(random, sizeof(random));
	struct text text = base64url_encode(arena, random, sizeof(random));
	*name = arena_format(arena, ".new-%.*s", TEXT_PRINTF(text));
	return openat(folder, *name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* A group that may look into the folder reads the keys too, unless all may look: then it is no
 * group that was chosen for that, but in a folder of root's, which nobody else could read keys from. */
static bool group_reads(const struct stat *folder)
{
	return (folder->st_mode & S_IRGRP) && (!(folder->st_mode & S_IRWXO) || folder->st_uid == 0);
}

/* Only root gives files away; of a group that is not its own, a user's file stays without. */
static bool give_to_folder(int file, const struct stat *folder)
{
	if (geteuid() == 0 && fchown(file, folder->st_uid, folder->st_gid) != 0)
		return false;
	bool by_group = group_reads(folder) && fchown(file, (uid_t)-1, folder->st_gid) == 0;
	return fchmod(file, by_group ? 0640 : 0600) == 0;
}

/* linkat() refuses a name that is taken, so no key is ever overwritten. */
static const char *publish(int folder, const char *temporary, enum algorithm algorithm,
	struct arena *arena, const char **name)
{
	time_t now = time(NULL);
	for (unsigned number = 0; number < 100; number++) {
		*name = name_of(arena, now, algorithm, number);
		if (linkat(folder, temporary, folder, *name, 0) == 0)
			return NULL;
		if (errno != EEXIST)
			return strerror(errno);
	}
	return "too many keys were made there in this second";
}

/* NULL and the name, or what is wrong. */
static const char *create_in(int folder, const struct stat *status, enum algorithm algorithm,
	struct arena *arena, const char **name)
{
	const char *temporary;
	const char *wrong = NULL;
	int descriptor = make_file(folder, arena, &temporary);
	FILE *file = descriptor >= 0 ? fdopen(descriptor, "w") : NULL;
	if (!file) {
		wrong = strerror(errno);
		goto out;
	}
	if (!write_key(file, algorithm))
		wrong = "OpenSSL could not make a key";
	else if (fflush(file) != 0 || !give_to_folder(descriptor, status) || fsync(descriptor) != 0)
		wrong = strerror(errno);
	if (!wrong)
		wrong = publish(folder, temporary, algorithm, arena, name);
out:
	if (file)
		fclose(file);
	else if (descriptor >= 0)
		close(descriptor);
	if (descriptor >= 0)
		unlinkat(folder, temporary, 0);
	ERR_clear_error();
	fsync(folder);
	return wrong;
}

const char *keyring_create(
	const char *folder, enum algorithm algorithm, struct arena *arena, const char **path)
{
	struct stat status;
	const char *name = NULL;
	const char *wrong;
	int descriptor = key_folder_open(arena, folder, &status, &wrong);
	if (descriptor < 0)
		return arena_format(arena, "tokens.keys: %s", wrong);
	wrong = create_in(descriptor, &status, algorithm, arena, &name);
	close(descriptor);
	if (wrong)
		return arena_format(arena, "tokens.keys: no key was made in %s: %s", folder, wrong);
	*path = arena_format(arena, "%s/%s", folder, name);
	return NULL;
}
