/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "tokens/jwk.h"
#include "tokens/keyring.h"

#define DEADLINE_S 60 /* a test that hangs has failed */

/* RFC 8037 appendix A.1 */
#define ED25519_PEM                                                                                \
	"-----BEGIN PRIVATE KEY-----\n"                                                            \
	"MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"                       \
	"-----END PRIVATE KEY-----\n"

/* RFC 7515 appendix A.3 */
#define P256_PEM                                                                                   \
	"-----BEGIN PRIVATE KEY-----\n"                                                            \
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff\n"                       \
	"H1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp\n"                       \
	"7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt\n"                               \
	"-----END PRIVATE KEY-----\n"
#define P256_PARAMETERS_PEM                                                                        \
	"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
#define P256_TRADITIONAL_PEM                                                                       \
	"-----BEGIN EC PRIVATE KEY-----\n"                                                         \
	"MHcCAQEEII6bEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAoGCCqGSM49\n"                       \
	"AwEHoUQDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTNG72b\n"                       \
	"focs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"                                                   \
	"-----END EC PRIVATE KEY-----\n"

/* the octets 0 to 31 */
#define HMAC_PEM                                                                                   \
	"-----BEGIN HMAC SECRET-----\n"                                                            \
	"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"                                           \
	"-----END HMAC SECRET-----\n"

/* Each test has an empty folder. */
struct fixture {
	char folder[64];
	struct arena arena;
	struct keyring keyring;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	strcpy(fixture->folder, "/tmp/test_keyring.XXXXXX");
	*state = fixture;
	return fixture && mkdtemp(fixture->folder) ? 0 : -1;
}

static void remove_folder(const char *folder)
{
	DIR *entries = opendir(folder);
	for (struct dirent *entry; entries && (entry = readdir(entries));) {
		char path[512];
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			remove(path);
	}
	if (entries)
		closedir(entries);
	rmdir(folder);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	keyring_close(&fixture->keyring);
	arena_finish(&fixture->arena);
	remove_folder(fixture->folder);
	free(fixture);
	return 0;
}

static const char *put_file(struct fixture *fixture, const char *name, const char *content)
{
	const char *path = arena_format(&fixture->arena, "%s/%s", fixture->folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
	fclose(file);
	assert_int_equal(chmod(path, 0600), 0);
	return path;
}

static const char *create(struct fixture *fixture, enum algorithm algorithm)
{
	const char *path = NULL;
	assert_null(keyring_create(fixture->folder, algorithm, &fixture->arena, &path));
	assert_non_null(path);
	return path;
}

static const char *open_keyring(struct fixture *fixture, enum algorithm wanted)
{
	return keyring_open(&fixture->keyring, fixture->folder, wanted, &fixture->arena);
}

static void opens(struct fixture *fixture, enum algorithm wanted)
{
	const char *wrong = open_keyring(fixture, wanted);
	if (wrong)
		fail_msg("%s", wrong);
}

/* It is refused, the reason names the folder and this, and nothing is left half made. */
static void refuses(struct fixture *fixture, enum algorithm wanted, const char *words)
{
	const struct keyring closed = { 0 };
	const char *wrong = open_keyring(fixture, wanted);
	assert_non_null(wrong);
	if (!strstr(wrong, words) || !strstr(wrong, fixture->folder))
		fail_msg("not about %s: %s", words, wrong);
	assert_memory_equal(&fixture->keyring, &closed, sizeof(closed));
	assert_int_equal(ERR_peek_error(), 0);
}

static void hexadecimal(const unsigned char *octets, size_t size, char *text)
{
	for (size_t i = 0; i < size; i++)
		snprintf(text + 2 * i, 3, "%02x", octets[i]);
}

static void octets_are(const unsigned char octets[DERIVED_KEY_SIZE], const char *expected)
{
	char text[2 * DERIVED_KEY_SIZE + 1];
	hexadecimal(octets, DERIVED_KEY_SIZE, text);
	assert_string_equal(text, expected);
}

static void text_is(struct text text, const char *expected)
{
	assert_int_equal(text.length, strlen(expected));
	assert_memory_equal(text.at, expected, text.length);
}

static void names_are_those_of_jose(void **state)
{
	(void)state;
	assert_string_equal(algorithm_name(ALGORITHM_ES256), "ES256");
	assert_string_equal(algorithm_name(ALGORITHM_EDDSA), "EdDSA");
	assert_string_equal(algorithm_name(ALGORITHM_RS256), "RS256");
	assert_string_equal(algorithm_name(ALGORITHM_HS256), "HS256");
}

static void opens_what_it_created(void **state)
{
	static const char *const endings[ALGORITHM_COUNT] = { "Z-es256.pem", "Z-eddsa.pem",
		"Z-rs256.pem", "Z-hs256.pem" };
	struct fixture *fixture = *state;
	for (int i = 0; i < ALGORITHM_COUNT; i++) {
		enum algorithm algorithm = (enum algorithm)i;
		const char *path = create(fixture, algorithm);
		const char *name = path + strlen(fixture->folder) + 1;
		assert_int_equal(strlen(name), strlen("yyyymmddThhmmss") + strlen(endings[i]));
		assert_string_equal(name + strlen("yyyymmddThhmmss"), endings[i]);
		assert_int_equal(name[8], 'T');
		opens(fixture, algorithm);
		assert_int_equal(fixture->keyring.count, i + 1);
		assert_int_equal(fixture->keyring.current->algorithm, algorithm);
		assert_string_equal(fixture->keyring.current->path, path);
		assert_int_equal(fixture->keyring.current->pkey == NULL, i == ALGORITHM_HS256);
		keyring_close(&fixture->keyring);
	}
}

static void a_new_file_is_its_owners_alone(void **state)
{
	struct fixture *fixture = *state;
	struct stat status;
	mode_t before = umask(0);
	const char *path = create(fixture, ALGORITHM_HS256);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	const char *folder = arena_format(&fixture->arena, "%s/new", fixture->folder);
	assert_null(keyring_create(folder, ALGORITHM_HS256, &fixture->arena, &path));
	umask(before);
	assert_int_equal(stat(folder, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
	remove_folder(folder);
}

/* Who owns the file that is made in a folder of this owner, group and mode, and who may read it. */
static void makes(struct fixture *fixture, uid_t owner, gid_t group, mode_t mode, mode_t expected)
{
	struct stat status;
	assert_int_equal(chown(fixture->folder, owner, group), 0);
	assert_int_equal(chmod(fixture->folder, mode), 0);
	assert_int_equal(stat(create(fixture, ALGORITHM_HS256), &status), 0);
	assert_int_equal(status.st_mode & 07777, expected);
	if (geteuid() == 0)
		assert_int_equal(status.st_uid, owner);
	if (geteuid() == 0 || (expected & S_IRGRP))
		assert_int_equal(status.st_gid, group);
}

static void a_new_file_belongs_to_whom_the_folder_belongs_to(void **state)
{
	struct fixture *fixture = *state;
	makes(fixture, geteuid(), getegid(), 0700, 0600);
	makes(fixture, geteuid(), getegid(), 0750, 0640);
	if (geteuid() != 0) {
		makes(fixture, geteuid(), getegid(), 0755, 0600);
		return;
	}
	makes(fixture, 65534, 65533, 0700, 0600); /* a service's own folder */
	makes(fixture, 0, 65533, 0750, 0640); /* root's, which the service may read */
	makes(fixture, 0, 65533, 0755, 0640);
	makes(fixture, 65534, 65533, 0755, 0600); /* a group of many, perhaps */
	opens(fixture, ALGORITHM_HS256);
}

static void a_folder_made_by_root_is_for_whom_the_one_above_is(void **state)
{
	struct fixture *fixture = *state;
	struct stat status;
	const char *path;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(fixture->folder, 0, 65533), 0);
	assert_int_equal(chmod(fixture->folder, 0750), 0);
	const char *folder = arena_format(&fixture->arena, "%s/new", fixture->folder);
	assert_null(keyring_create(folder, ALGORITHM_HS256, &fixture->arena, &path));
	assert_int_equal(stat(folder, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0750);
	assert_int_equal(status.st_gid, 65533);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0640);
	assert_int_equal(status.st_gid, 65533);
	remove_folder(folder);
}

static void a_folder_that_others_may_write_is_refused(void **state)
{
	static const mode_t bad[] = { 0770, 0702, 0777, 01777 };
	struct fixture *fixture = *state;
	create(fixture, ALGORITHM_HS256);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *path = "untouched";
		chmod(fixture->folder, bad[i]);
		refuses(fixture, ALGORITHM_HS256, "others may write it");
		const char *wrong =
			keyring_create(fixture->folder, ALGORITHM_HS256, &fixture->arena, &path);
		assert_non_null(wrong);
		assert_non_null(strstr(wrong, "chmod go-w"));
		assert_string_equal(path, "untouched");
	}
	chmod(fixture->folder, 0700);
	opens(fixture, ALGORITHM_HS256);
	assert_int_equal(fixture->keyring.count, 1);
}

/* In a process of its own, for root does not become somebody else for a while: the folder of a user
 * who is neither root nor this one. */
static void a_folder_of_a_third_user_is_refused(void **state)
{
	struct fixture *fixture = *state;
	int status;
	if (geteuid() != 0)
		skip();
	create(fixture, ALGORITHM_HS256);
	assert_int_equal(chown(fixture->folder, 65533, 65533), 0);
	assert_int_equal(chmod(fixture->folder, 0755), 0);
	pid_t child = fork();
	if (child == 0) {
		const char *wrong = setresuid(65534, 65534, 65534) == 0
					    ? open_keyring(fixture, ALGORITHM_HS256)
					    : NULL;
		_exit(wrong && strstr(wrong, "it belongs to") ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void creation_leaves_nothing_but_the_key(void **state)
{
	struct fixture *fixture = *state;
	create(fixture, ALGORITHM_EDDSA);
	DIR *entries = opendir(fixture->folder);
	int count = 0;
	while (readdir(entries))
		count++;
	closedir(entries);
	assert_int_equal(count, 3); /* with . and .. */
}

static void the_newest_signs_though_made_in_the_same_second(void **state)
{
	struct fixture *fixture = *state;
	const char *path = NULL;
	for (int i = 0; i < 12; i++) {
		const char *before = path;
		path = create(fixture, ALGORITHM_EDDSA);
		assert_true(!before || strcmp(before, path) < 0);
		opens(fixture, ALGORITHM_EDDSA);
		assert_int_equal(fixture->keyring.count, i + 1);
		assert_string_equal(fixture->keyring.current->path, path);
		keyring_close(&fixture->keyring);
	}
}

static void creation_says_what_is_wrong(void **state)
{
	struct fixture *fixture = *state;
	const char *path = "untouched";
	const char *folder = put_file(fixture, "file", ""); /* a file is where a folder should be */
	const char *wrong = keyring_create(folder, ALGORITHM_ES256, &fixture->arena, &path);
	assert_non_null(wrong);
	assert_non_null(strstr(wrong, folder));
	assert_string_equal(path, "untouched");
	folder = arena_format(&fixture->arena, "%s/no/such", fixture->folder);
	assert_non_null(keyring_create(folder, ALGORITHM_ES256, &fixture->arena, &path));
}

static void the_last_name_of_the_wanted_algorithm_signs(void **state)
{
	struct fixture *fixture = *state;
	put_file(fixture, "b.pem", P256_PEM);
	put_file(fixture, "c.pem", ED25519_PEM);
	put_file(fixture, "a.pem", HMAC_PEM);
	const char *newer = create(fixture, ALGORITHM_ES256); /* digits sort before letters */
	opens(fixture, ALGORITHM_ES256);
	assert_int_equal(fixture->keyring.count, 4);
	assert_string_equal(strrchr(fixture->keyring.current->path, '/'), "/b.pem");
	for (size_t i = 0; i < 4; i++)
		assert_ptr_equal(keyring_find(&fixture->keyring, fixture->keyring.keys[i].kid),
			&fixture->keyring.keys[i]);
	assert_string_equal(fixture->keyring.keys[0].path, newer);
	assert_null(keyring_find(&fixture->keyring, TEXT("unknown")));
	assert_null(keyring_find(&fixture->keyring, TEXT_NONE));
}

static void other_files_are_no_keys(void **state)
{
	struct fixture *fixture = *state;
	put_file(fixture, "key.pem", HMAC_PEM);
	put_file(fixture, ".hidden.pem", "half written");
	put_file(fixture, "README", "about the keys");
	put_file(fixture, "key.pem.bak", "no key");
	put_file(fixture, ".pem", "no key");
	opens(fixture, ALGORITHM_HS256);
	assert_int_equal(fixture->keyring.count, 1);
}

static void no_key_of_the_algorithm(void **state)
{
	struct fixture *fixture = *state;
	refuses(fixture, ALGORITHM_ES256, "run latchkey keys new");
	put_file(fixture, "key.pem", HMAC_PEM);
	refuses(fixture, ALGORITHM_ES256, "no ES256 key");
}

static void no_folder(void **state)
{
	struct fixture *fixture = *state;
	rmdir(fixture->folder);
	refuses(fixture, ALGORITHM_ES256, "latchkey keys new");
}

static void modes_that_let_others_in_are_refused(void **state)
{
	static const mode_t bad[] = { 0644, 0660, 0604, 0602, 0601, 0620, 0666 };
	static const mode_t good[] = { 0600, 0640, 0400, 0440, 0700 };
	struct fixture *fixture = *state;
	const char *path = put_file(fixture, "key.pem", HMAC_PEM);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		chmod(path, bad[i]);
		refuses(fixture, ALGORITHM_HS256, "key.pem: others may read or write it");
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		chmod(path, good[i]);
		opens(fixture, ALGORITHM_HS256);
		keyring_close(&fixture->keyring);
	}
}

static void what_is_no_regular_file_is_refused_without_waiting(void **state)
{
	struct fixture *fixture = *state;
	const char *path = arena_format(&fixture->arena, "%s/pipe.pem", fixture->folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	refuses(fixture, ALGORITHM_ES256, "regular");
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	refuses(fixture, ALGORITHM_ES256, "regular");
}

static void files_without_a_key_are_refused(void **state)
{
	static const struct {
		const char *content;
		const char *words;
	} rows[] = {
		{ "", "no PEM file" },
		{ "secret\n", "no PEM file" },
		{ "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQ\n", "no PEM file" },
		{ "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQ==\n-----END PRIVATE KEY-----\n",
			"no private key" },
		{ P256_PARAMETERS_PEM, "no private key" },
		/* 31 octets, and 65 */
		{ "-----BEGIN HMAC SECRET-----\n"
		  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==\n"
		  "-----END HMAC SECRET-----\n",
			"32 to 64 octets" },
		{ "-----BEGIN HMAC SECRET-----\n"
		  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v\n"
		  "MDEyMzQ1Njc4OTo7PD0+P0A=\n"
		  "-----END HMAC SECRET-----\n",
			"32 to 64 octets" },
	};
	struct fixture *fixture = *state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put_file(fixture, "key.pem", rows[i].content);
		refuses(fixture, ALGORITHM_ES256, rows[i].words);
	}
}

static void put_key(struct fixture *fixture, EVP_PKEY *pkey, const char *passphrase)
{
	const char *path = put_file(fixture, "key.pem", "");
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_non_null(pkey);
	assert_int_equal(
		PEM_write_PKCS8PrivateKey(file, pkey, passphrase ? EVP_aes_256_cbc() : NULL,
			passphrase, passphrase ? (int)strlen(passphrase) : 0, NULL, NULL),
		1);
	fclose(file);
	EVP_PKEY_free(pkey);
}

static void keys_of_no_algorithm_are_refused(void **state)
{
	struct fixture *fixture = *state;
	put_key(fixture, EVP_EC_gen("P-384"), NULL);
	refuses(fixture, ALGORITHM_ES256, "P-256");
	put_key(fixture, EVP_EC_gen("secp256k1"), NULL);
	refuses(fixture, ALGORITHM_ES256, "P-256");
	put_key(fixture, EVP_RSA_gen(1024), NULL);
	refuses(fixture, ALGORITHM_RS256, "2048");
	put_key(fixture, EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), NULL);
	refuses(fixture, ALGORITHM_EDDSA, "Ed25519");
}

static void a_passphrase_is_not_asked_for(void **state)
{
	struct fixture *fixture = *state;
	put_key(fixture, EVP_EC_gen("P-256"), "open sesame");
	refuses(fixture, ALGORITHM_ES256, "passphrase");
}

/* One bad file among good ones is a mistake somebody should know of. */
static void one_bad_file_is_enough(void **state)
{
	struct fixture *fixture = *state;
	put_file(fixture, "a.pem", P256_PEM);
	put_file(fixture, "b.pem", "");
	put_file(fixture, "c.pem", ED25519_PEM);
	refuses(fixture, ALGORITHM_ES256, "b.pem");
}

/* Held against another implementation of HKDF: were it ever to change, an upgrade would end all
 * sessions. */
static void derived_keys_stay_what_they_are(void **state)
{
	struct fixture *fixture = *state;
	put_file(fixture, "key.pem", ED25519_PEM);
	opens(fixture, ALGORITHM_EDDSA);
	octets_are(fixture->keyring.current->refresh,
		"cd742dc2b2f844e6fc4065c281438840e3105439c75d4fdc4b8a93110c03c45e");
	octets_are(fixture->keyring.current->seal,
		"38de5e71133fb28f5de36a9b1ed61ce2a7ab8e4dc3e05a0f866e9f8c861fabd1");
	keyring_close(&fixture->keyring);
	put_file(fixture, "key.pem", HMAC_PEM);
	opens(fixture, ALGORITHM_HS256);
	octets_are(fixture->keyring.current->refresh,
		"63f79f1f0e6c0d3d2ff71ba6b614a4f40118ebe933c3998141ab9f24eb4ca1ff");
	octets_are(fixture->keyring.current->seal,
		"48b634f06170a0c593b5f3d986e9c6401ba475573c24a55dacd6d202e3577696");
}

static void a_key_is_the_same_in_any_form(void **state)
{
	static const char *const forms[] = { P256_PEM, P256_TRADITIONAL_PEM,
		P256_PARAMETERS_PEM P256_TRADITIONAL_PEM };
	struct fixture *fixture = *state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		put_file(fixture, "key.pem", forms[i]);
		opens(fixture, ALGORITHM_ES256);
		text_is(fixture->keyring.current->kid,
			"oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
		octets_are(fixture->keyring.current->refresh,
			"7d1cd6e4e1cdc5065ca7f63638dce610f610fbba7749eac7cc0a20061e1555a9");
		octets_are(fixture->keyring.current->seal,
			"df7a4c87d1818608cab5e4911409b0058dabf91232983a5a54c3b898f3b812d9");
		keyring_close(&fixture->keyring);
	}
}

static void the_kid_of_a_secret_is_half_a_digest(void **state)
{
	struct fixture *fixture = *state;
	put_file(fixture, "key.pem", HMAC_PEM);
	opens(fixture, ALGORITHM_HS256);
	text_is(fixture->keyring.current->kid, "KdxYksyvrHakUzGmZaj-5g");
	assert_int_equal(fixture->keyring.current->secret_size, 32);
	assert_int_equal(fixture->keyring.current->secret[31], 31);
}

static EVP_PKEY *rsa_public(struct arena *arena, const char *modulus)
{
	struct text octets;
	assert_true(base64url_decode(arena, text_of(modulus), &octets));
	BIGNUM *n = BN_bin2bn((const unsigned char *)octets.at, (int)octets.length, NULL);
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	assert_true(OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n));
	assert_true(OSSL_PARAM_BLD_push_ulong(builder, OSSL_PKEY_PARAM_RSA_E, 65537));
	OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *pkey = NULL;
	assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
	assert_int_equal(EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, parameters), 1);
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(parameters);
	OSSL_PARAM_BLD_free(builder);
	BN_free(n);
	return pkey;
}

/* RFC 7638 section 3.1 */
static void the_thumbprint_of_rfc_7638(void **state)
{
	struct fixture *fixture = *state;
	struct text thumbprint;
	struct signing_key key = { .algorithm = ALGORITHM_RS256 };
	key.pkey = rsa_public(&fixture->arena,
		"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86z"
		"wu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5Js"
		"GY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMic"
		"AtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-"
		"bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csF"
		"Cur-kEgU8awapJzKnqDKgw");
	assert_true(jwk_thumbprint(&fixture->arena, &key, &thumbprint));
	text_is(thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
	EVP_PKEY_free(key.pkey);
}

/* RFC 8037 appendix A.3 */
static void the_thumbprint_of_rfc_8037(void **state)
{
	struct fixture *fixture = *state;
	put_file(fixture, "key.pem", ED25519_PEM);
	opens(fixture, ALGORITHM_EDDSA);
	text_is(fixture->keyring.current->kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

static void the_set_has_public_keys_only(void **state)
{
	struct fixture *fixture = *state;
	struct text jwks;
	put_file(fixture, "a.pem", P256_PEM);
	put_file(fixture, "b.pem", HMAC_PEM);
	put_file(fixture, "c.pem", ED25519_PEM);
	opens(fixture, ALGORITHM_ES256);
	assert_true(keyring_jwks(&fixture->keyring, &fixture->arena, &jwks));
	text_is(jwks, "{\"keys\":["
		      "{\"crv\":\"P-256\",\"kty\":\"EC\","
		      "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
		      "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\","
		      "\"kid\":\"oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U\","
		      "\"alg\":\"ES256\",\"use\":\"sig\"},"
		      "{\"crv\":\"Ed25519\",\"kty\":\"OKP\","
		      "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\","
		      "\"kid\":\"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k\","
		      "\"alg\":\"EdDSA\",\"use\":\"sig\"}]}");
}

static void the_set_of_secrets_is_empty(void **state)
{
	struct fixture *fixture = *state;
	struct text jwks;
	put_file(fixture, "key.pem", HMAC_PEM);
	opens(fixture, ALGORITHM_HS256);
	assert_true(keyring_jwks(&fixture->keyring, &fixture->arena, &jwks));
	text_is(jwks, "{\"keys\":[]}");
}

/* The members of a private RSA JWK: d, p, q, dp, dq, qi (RFC 7518 section 6.3.2). */
static void the_set_keeps_rsa_secrets(void **state)
{
	struct fixture *fixture = *state;
	struct text jwks;
	create(fixture, ALGORITHM_RS256);
	opens(fixture, ALGORITHM_RS256);
	assert_true(keyring_jwks(&fixture->keyring, &fixture->arena, &jwks));
	const char *text = text_string(&fixture->arena, jwks);
	assert_ptr_equal(strstr(text, "{\"keys\":[{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\""), text);
	assert_non_null(strstr(text, "\",\"alg\":\"RS256\",\"use\":\"sig\"}]}"));
	assert_null(strstr(text, "\"d\":"));
	assert_null(strstr(text, "\"p\":"));
	assert_null(strstr(text, "\"q\":"));
	assert_null(strstr(text, "\"dp\":"));
	assert_null(strstr(text, "\"dq\":"));
	assert_null(strstr(text, "\"qi\":"));
	/* 2048 bits as 342 characters: in as few octets as they need */
	const char *modulus = strstr(text, "\"n\":\"") + 5;
	assert_int_equal(strcspn(modulus, "\""), 342);
}

static void closing_takes_a_zeroed_keyring(void **state)
{
	(void)state;
	struct keyring keyring = { 0 };
	keyring_close(&keyring);
	keyring_close(&keyring);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names_are_those_of_jose),
		TEST(opens_what_it_created),
		TEST(a_new_file_is_its_owners_alone),
		TEST(a_new_file_belongs_to_whom_the_folder_belongs_to),
		TEST(a_folder_made_by_root_is_for_whom_the_one_above_is),
		TEST(a_folder_that_others_may_write_is_refused),
		TEST(a_folder_of_a_third_user_is_refused),
		TEST(creation_leaves_nothing_but_the_key),
		TEST(the_newest_signs_though_made_in_the_same_second),
		TEST(creation_says_what_is_wrong),
		TEST(the_last_name_of_the_wanted_algorithm_signs),
		TEST(other_files_are_no_keys),
		TEST(no_key_of_the_algorithm),
		TEST(no_folder),
		TEST(modes_that_let_others_in_are_refused),
		TEST(what_is_no_regular_file_is_refused_without_waiting),
		TEST(files_without_a_key_are_refused),
		TEST(keys_of_no_algorithm_are_refused),
		TEST(a_passphrase_is_not_asked_for),
		TEST(one_bad_file_is_enough),
		TEST(derived_keys_stay_what_they_are),
		TEST(a_key_is_the_same_in_any_form),
		TEST(the_kid_of_a_secret_is_half_a_digest),
		TEST(the_thumbprint_of_rfc_7638),
		TEST(the_thumbprint_of_rfc_8037),
		TEST(the_set_has_public_keys_only),
		TEST(the_set_of_secrets_is_empty),
		TEST(the_set_keeps_rsa_secrets),
		TEST(closing_takes_a_zeroed_keyring),
	};
	alarm(DEADLINE_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
