/* SPDX-License-Identifier: MIT */
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
static const char *path_of(struct arena *arena, const char *folder, time_t now,
	enum algorithm algorithm, unsigned number)
{
	static const char *const names[ALGORITHM_COUNT] = { "es256", "eddsa", "rs256", "hs256" };
	char when[32];
	struct tm utc;
	strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
	if (number == 0)
		return arena_format(arena, "%s/%s-%s.pem", folder, when, names[algorithm]);
	return arena_format(arena, "%s/%s-%s_%02u.pem", folder, when, names[algorithm], number);
}

/* link() refuses a name that is taken, so no key is ever overwritten. */
static const char *publish(struct arena *arena, const char *temporary, const char *folder,
	enum algorithm algorithm, const char **path)
{
	time_t now = time(NULL);
	for (unsigned number = 0; number < 100; number++) {
		const char *name = path_of(arena, folder, now, algorithm, number);
		if (link(temporary, name) == 0) {
			*path = name;
			return NULL;
		}
		if (errno != EEXIST)
			return arena_format(arena, "cannot make %s: %s", name, strerror(errno));
	}
	return arena_format(arena, "too many keys were made in %s in this second", folder);
}

static void sync_folder(const char *folder)
{
	int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (descriptor < 0)
		return;
	fsync(descriptor);
	close(descriptor);
}

const char *keyring_create(
	const char *folder, enum algorithm algorithm, struct arena *arena, const char **path)
{
	const char *wrong = NULL;
	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return arena_format(arena, "cannot make folder %s: %s", folder, strerror(errno));
	char *temporary = arena_format(arena, "%s/.new-XXXXXX", folder);
	int descriptor = mkostemp(temporary, O_CLOEXEC); /* mode 0600, O_EXCL */
	FILE *file = descriptor >= 0 ? fdopen(descriptor, "w") : NULL;
	if (!file) {
		wrong = arena_format(arena, "cannot write in %s: %s", folder, strerror(errno));
		if (descriptor >= 0)
			close(descriptor);
		return wrong;
	}
	if (!write_key(file, algorithm))
		wrong = "OpenSSL could not make a key";
	else if (fflush(file) != 0 || fsync(descriptor) != 0)
		wrong = arena_format(arena, "cannot write in %s: %s", folder, strerror(errno));
	fclose(file);
	ERR_clear_error();
	if (!wrong)
		wrong = publish(arena, temporary, folder, algorithm, path);
	unlink(temporary);
	sync_folder(folder);
	return wrong;
}
