/* SPDX-License-Identifier: MIT */
/*
 * The vectors of RFC 9106 have a secret, associated data and four lanes, none of which is in a PHC
 * string; those of the reference implementation's own tests have none. What is made here is
 * held against libargon2's own reader, and what its writer makes against the reader here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <argon2.h>
#include <string.h>

#include "passwords/argon2.h"

#define PASSWORD TEXT("correct horse battery staple")

static const struct password_cost cheap = { .memory = 32, .passes = 1 };

static int set_up(void **state)
{
	static struct arena arena;
	arena_init(&arena);
	*state = &arena;
	return 0;
}

static int tear_down(void **state)
{
	arena_finish(*state);
	return 0;
}

static enum password_match verify(struct arena *arena, const char *phc, const char *password)
{
	return password_verify(arena, &hash_door_here, cheap, text_of(phc), text_of(password));
}

static const char *hash(struct arena *arena, struct password_cost cost, struct text password)
{
	struct text phc = TEXT_NONE;
	assert_int_equal(password_hash(arena, &hash_door_here, cost, password, &phc), HASH_DONE);
	return text_string(arena, phc);
}

static void vectors_of_the_reference(void **state)
{
	static const struct {
		const char *phc;
		const char *password;
	} rows[] = {
		{ "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$"
		  "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
			"password" },
		{ "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$"
		  "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
			"password" },
		{ "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$"
		  "bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
			"password" },
		{ "$argon2id$v=19$m=65536,t=1,p=1$c29tZXNhbHQ$"
		  "9qWtwbpyPd3vm1rB1GThgPzZ3/ydHL92zKL+15XZypg",
			"password" },
		{ "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$"
		  "C4TWUs9rDEvq7w3+J4umqA32aWKB1+DSiRuBfYxFj94",
			"differentpassword" },
		{ "$argon2id$v=19$m=65536,t=2,p=1$ZGlmZnNhbHQ$"
		  "vfMrBczELrFdWP0ZsfhWsRPaHppYdP3MVEMIVlqoFBw",
			"password" },

	};
	struct arena *arena = *state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (verify(arena, rows[i].phc, rows[i].password) != PASSWORD_MATCHES)
			fail_msg("does not match: %s", rows[i].phc);
		assert_int_equal(verify(arena, rows[i].phc, "Password"), PASSWORD_DIFFERS);
	}
}

static void a_hash_says_how_it_was_made(void **state)
{
	struct arena *arena = *state;
	const char *phc = hash(arena, (struct password_cost){ 40, 3 }, PASSWORD);
	static const char beginning[] = "$argon2id$v=19$m=40,t=3,p=1$";
	assert_memory_equal(phc, beginning, strlen(beginning));
	/* 16 octets of salt, 32 of hash */
	assert_int_equal(strlen(phc), strlen(beginning) + 22 + 1 + 43);
	assert_int_equal(phc[strlen(beginning) + 22], '$');
	assert_int_equal(
		strspn(phc + strlen(beginning),
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/$"),
		22 + 1 + 43);
}

static void the_library_reads_what_is_made_here(void **state)
{
	struct arena *arena = *state;
	/* so many that both characters that base64url has others for are among them */
	for (int i = 0; i < 30; i++) {
		const char *phc = hash(arena, cheap, PASSWORD);
		assert_int_equal(argon2id_verify(phc, PASSWORD.at, PASSWORD.length), ARGON2_OK);
		assert_int_equal(argon2id_verify(phc, "other", 5), ARGON2_VERIFY_MISMATCH);
		assert_int_equal(
			password_verify(arena, &hash_door_here, cheap, text_of(phc), PASSWORD),
			PASSWORD_MATCHES);
		assert_int_equal(verify(arena, phc, "other"), PASSWORD_DIFFERS);
	}
}

static void what_the_library_makes_is_read_here(void **state)
{
	static const struct {
		uint32_t passes, memory, lanes;
		size_t salt_size, hash_size;
	} rows[] = {
		{ 1, 8, 1, 8, 16 },
		{ 2, 64, 1, 16, 32 },
		{ 3, 40, 1, 15, 31 },
		{ 1, 64, 8, 17, 33 },
		{ 1, 33, 4, 64, 64 },
		{ 16, 8, 1, 32, 64 },
		{ 1, 100000, 2, 16, 32 },
	};
	static const char salt[64] =
		"a salt that is long enough for all of the rows, and some more";
	struct arena *arena = *state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char phc[256];
		assert_int_equal(argon2id_hash_encoded(rows[i].passes, rows[i].memory,
					 rows[i].lanes, PASSWORD.at, PASSWORD.length, salt,
					 rows[i].salt_size, rows[i].hash_size, phc, sizeof(phc)),
			ARGON2_OK);
		if (password_verify(arena, &hash_door_here, cheap, text_of(phc), PASSWORD) !=
			PASSWORD_MATCHES)
			fail_msg("does not match: %s", phc);
		assert_int_equal(verify(arena, phc, "other"), PASSWORD_DIFFERS);
	}
}

static void any_octets_are_a_password(void **state)
{
	struct arena *arena = *state;
	const struct text passwords[] = { TEXT(""), TEXT("\0"), TEXT("a"), TEXT("a\0b"),
		TEXT("a\0c"), TEXT("a\n"), TEXT("A"), TEXT("\xff\xfe"), TEXT(" a"), TEXT("a ") };
	const size_t count = sizeof(passwords) / sizeof(passwords[0]);
	for (size_t i = 0; i < count; i++) {
		const char *phc = hash(arena, cheap, passwords[i]);
		for (size_t k = 0; k < count; k++)
			assert_int_equal(password_verify(arena, &hash_door_here, cheap,
						 text_of(phc), passwords[k]),
				i == k ? PASSWORD_MATCHES : PASSWORD_DIFFERS);
	}
}

static void each_hash_has_a_salt_of_its_own(void **state)
{
	struct arena *arena = *state;
	const char *first = hash(arena, cheap, PASSWORD);
	const char *second = hash(arena, cheap, PASSWORD);
	static const size_t salt = sizeof("$argon2id$v=19$m=32,t=1,p=1$") - 1;
	assert_memory_equal(first, second, salt);
	assert_memory_not_equal(first + salt, second + salt, 22);
	assert_string_not_equal(strrchr(first, '$'), strrchr(second, '$'));
}

static void every_octet_of_the_hash_counts(void **state)
{
	struct arena *arena = *state;
	char phc[256];
	strcpy(phc, hash(arena, cheap, PASSWORD));
	for (char *at = strrchr(phc, '$') + 1; at[1] != '\0'; at++) {
		char before = *at;
		*at = before == 'A' ? 'B' : 'A';
		assert_int_equal(
			password_verify(arena, &hash_door_here, cheap, text_of(phc), PASSWORD),
			PASSWORD_DIFFERS);
		*at = before;
	}
	assert_int_equal(password_verify(arena, &hash_door_here, cheap, text_of(phc), PASSWORD),
		PASSWORD_MATCHES);
}

#define SALT "c29tZXNhbHQ"
#define HASH "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define READABLE "$argon2id$v=19$m=64,t=1,p=1$" SALT "$" HASH

static void other_strings_are_unreadable(void **state)
{
	static const char *const bad[] = {
		"",
		"$",
		"$$$$$",
		"plain",
		"*",
		"!" READABLE,
		" " READABLE,
		READABLE " ",
		READABLE "\n",
		READABLE "$",
		READABLE "=",
		READABLE "$" HASH,
		"argon2id$v=19$m=64,t=1,p=1$" SALT "$" HASH,
		/* other functions and versions */
		"$argon2i$v=19$m=64,t=1,p=1$" SALT "$" HASH,
		"$argon2d$v=19$m=64,t=1,p=1$" SALT "$" HASH,
		"$argon2$v=19$m=64,t=1,p=1$" SALT "$" HASH,
		"$Argon2id$v=19$m=64,t=1,p=1$" SALT "$" HASH,
		"$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
		"$argon2id$v=16$m=64,t=1,p=1$" SALT "$" HASH,
		"$argon2id$v=20$m=64,t=1,p=1$" SALT "$" HASH,
		"$argon2id$v=019$m=64,t=1,p=1$" SALT "$" HASH,
		"$argon2id$m=64,t=1,p=1$" SALT "$" HASH,
		/* parameters */
		"$argon2id$v=19$$" SALT "$" HASH,
		"$argon2id$v=19$m=64,t=1$" SALT "$" HASH,
		"$argon2id$v=19$t=1,m=64,p=1$" SALT "$" HASH,
		"$argon2id$v=19$m=64,t=1,p=1,$" SALT "$" HASH,
		"$argon2id$v=19$m=64,t=1,p=1,keyid=a$" SALT "$" HASH,
		"$argon2id$v=19$m=64,,t=1,p=1$" SALT "$" HASH,
		"$argon2id$v=19$m=,t=1,p=1$" SALT "$" HASH,
		"$argon2id$v=19$m=064,t=1,p=1$" SALT "$" HASH,
		"$argon2id$v=19$m=64,t=01,p=1$" SALT "$" HASH,
		"$argon2id$v=19$m=64,t=1,p=01$" SALT "$" HASH,
		"$argon2id$v=19$m=+64,t=1,p=1$" SALT "$" HASH,
		"$argon2id$v=19$m=-64,t=1,p=1$" SALT "$" HASH,
		"$argon2id$v=19$m= 64,t=1,p=1$" SALT "$" HASH,
		"$argon2id$v=19$m=0x40,t=1,p=1$" SALT "$" HASH,
		"$argon2id$v=19$M=64,t=1,p=1$" SALT "$" HASH,
		"$argon2id$v=19$m=0,t=1,p=1$" SALT "$" HASH,
		"$argon2id$v=19$m=64,t=0,p=1$" SALT "$" HASH,
		"$argon2id$v=19$m=64,t=1,p=0$" SALT "$" HASH,
		/* 8 KiB a lane is the least (RFC 9106 section 3.1) */
		"$argon2id$v=19$m=7,t=1,p=1$" SALT "$" HASH,
		"$argon2id$v=19$m=63,t=1,p=8$" SALT "$" HASH,
		/* what would cost too much */
		"$argon2id$v=19$m=1048577,t=1,p=1$" SALT "$" HASH,
		"$argon2id$v=19$m=4294967360,t=1,p=1$" SALT "$" HASH,
		"$argon2id$v=19$m=99999999999999999999,t=1,p=1$" SALT "$" HASH,
		"$argon2id$v=19$m=64,t=17,p=1$" SALT "$" HASH,
		"$argon2id$v=19$m=64,t=4294967297,p=1$" SALT "$" HASH,
		"$argon2id$v=19$m=128,t=1,p=9$" SALT "$" HASH,
		/* salts: none, 7 octets, 65, other alphabets and spellings */
		"$argon2id$v=19$m=64,t=1,p=1$$" HASH,
		"$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAA$" HASH,
		"$argon2id$v=19$m=64,t=1,p=1$" HASH HASH "A$" HASH,
		"$argon2id$v=19$m=64,t=1,p=1$" SALT "=$" HASH,
		"$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHR$" HASH,
		"$argon2id$v=19$m=64,t=1,p=1$-29tZXNhbHQ$" HASH,
		"$argon2id$v=19$m=64,t=1,p=1$_29tZXNhbHQ$" HASH,
		"$argon2id$v=19$m=64,t=1,p=1$c29tZ.NhbHQ$" HASH,
		/* hashes: none, 15 octets, 65, other alphabets and spellings */
		"$argon2id$v=19$m=64,t=1,p=1$" SALT,
		"$argon2id$v=19$m=64,t=1,p=1$" SALT "$",
		"$argon2id$v=19$m=64,t=1,p=1$" SALT "$AAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=64,t=1,p=1$" SALT "$" HASH HASH "A",
		"$argon2id$v=19$m=64,t=1,p=1$" SALT "$-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=64,t=1,p=1$" SALT "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB",
	};
	struct arena *arena = *state;
	assert_int_equal(verify(arena, READABLE, "password"), PASSWORD_DIFFERS);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (verify(arena, bad[i], "password") != PASSWORD_UNREADABLE)
			fail_msg("read: %s", bad[i]);
		assert_true(password_is_outdated(arena, text_of(bad[i]), cheap) ||
			    strstr(bad[i], "m=7,") || strstr(bad[i], "m=63,"));
	}
	/* with the NUL behind it, and nothing at all */
	assert_int_equal(password_verify(arena, &hash_door_here, cheap,
				 (struct text){ READABLE, sizeof(READABLE) }, TEXT("password")),
		PASSWORD_UNREADABLE);
	assert_int_equal(
		password_verify(arena, &hash_door_here, cheap, TEXT_NONE, TEXT("password")),
		PASSWORD_UNREADABLE);
}

static void any_part_of_a_string_is_unreadable(void **state)
{
	struct arena *arena = *state;
	const char *phc = hash(arena, cheap, PASSWORD);
	/* down to the 16 octets that a hash has at least */
	size_t least = (size_t)(strrchr(phc, '$') - phc) + 1 + 22;
	for (size_t length = 0; length < least; length++)
		assert_int_equal(password_verify(arena, &hash_door_here, cheap,
					 (struct text){ phc, length }, PASSWORD),
			PASSWORD_UNREADABLE);
}

static void what_could_not_be_verified_is_not_made(void **state)
{
	struct arena *arena = *state;
	struct text phc = TEXT("untouched");
	assert_int_equal(password_hash(arena, &hash_door_here,
				 (struct password_cost){ 1024 * 1024 + 1, 1 }, PASSWORD, &phc),
		HASH_FAILED);
	assert_int_equal(password_hash(arena, &hash_door_here, (struct password_cost){ 32, 17 },
				 PASSWORD, &phc),
		HASH_FAILED);
	assert_int_equal(password_hash(arena, &hash_door_here, (struct password_cost){ 7, 1 },
				 PASSWORD, &phc),
		HASH_FAILED);
	assert_true(text_equal(phc, TEXT("untouched")));
	assert_int_equal(password_hash(arena, &hash_door_here, (struct password_cost){ 8, 16 },
				 PASSWORD, &phc),
		HASH_DONE);
	assert_int_equal(
		password_verify(arena, &hash_door_here, cheap, phc, PASSWORD), PASSWORD_MATCHES);
}

static void another_cost_is_outdated(void **state)
{
	struct arena *arena = *state;
	struct text phc = text_of(hash(arena, (struct password_cost){ 64, 2 }, PASSWORD));
	assert_false(password_is_outdated(arena, phc, (struct password_cost){ 64, 2 }));
	assert_true(password_is_outdated(arena, phc, (struct password_cost){ 65, 2 }));
	assert_true(password_is_outdated(arena, phc, (struct password_cost){ 63, 2 }));
	assert_true(password_is_outdated(arena, phc, (struct password_cost){ 64, 1 }));
	assert_true(password_is_outdated(arena, phc, (struct password_cost){ 64, 3 }));
	assert_true(password_is_outdated(arena, TEXT("$argon2id$v=19$m=64,t=2,p=2$" SALT "$" HASH),
		(struct password_cost){ 64, 2 }));
	assert_false(password_is_outdated(arena, TEXT("$argon2id$v=19$m=64,t=2,p=1$" SALT "$" HASH),
		(struct password_cost){ 64, 2 }));
}

static void a_decoy_is_like_a_users(void **state)
{
	struct arena *arena = *state;
	struct text decoy = password_decoy(arena, cheap);
	struct text other = password_decoy(arena, cheap);
	const char *real = hash(arena, cheap, PASSWORD);
	assert_int_equal(decoy.length, strlen(real));
	assert_memory_equal(decoy.at, real, strlen("$argon2id$v=19$m=32,t=1,p=1$"));
	assert_false(text_equal(decoy, other));
	assert_false(password_is_outdated(arena, decoy, cheap));
	assert_int_equal(
		password_verify(arena, &hash_door_here, cheap, decoy, PASSWORD), PASSWORD_DIFFERS);
	assert_int_equal(
		password_verify(arena, &hash_door_here, cheap, decoy, TEXT("")), PASSWORD_DIFFERS);
	/* the library computes it too: it costs a hash, and is none that is malformed */
	assert_int_equal(argon2id_verify(text_string(arena, decoy), PASSWORD.at, PASSWORD.length),
		ARGON2_VERIFY_MISMATCH);
}

static enum hash_result note_pace(
	void *context, const struct hash_order *order, unsigned char *hash)
{
	*(struct hash_order *)context = *order;
	return hash_compute(order, NULL, hash);
}

/* Verifying says what it costs today, whatever the string cost; making one needs no pace. */
static void an_order_to_verify_has_todays_pace(void **state)
{
	struct arena *arena = *state;
	struct hash_order order;
	const struct hash_door door = { note_pace, &order };
	const struct password_cost today = { 48, 2 };
	struct text phc = text_of(hash(arena, cheap, PASSWORD));
	assert_int_equal(password_verify(arena, &door, today, phc, PASSWORD), PASSWORD_MATCHES);
	assert_int_equal(order.memory, cheap.memory);
	assert_int_equal(order.passes, cheap.passes);
	assert_int_equal(order.pace_memory, today.memory);
	assert_int_equal(order.pace_passes, today.passes);
	assert_int_equal(password_hash(arena, &door, today, PASSWORD, &phc), HASH_DONE);
	assert_int_equal(order.pace_memory, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(vectors_of_the_reference),
		TEST(a_hash_says_how_it_was_made),
		TEST(the_library_reads_what_is_made_here),
		TEST(what_the_library_makes_is_read_here),
		TEST(any_octets_are_a_password),
		TEST(each_hash_has_a_salt_of_its_own),
		TEST(every_octet_of_the_hash_counts),
		TEST(other_strings_are_unreadable),
		TEST(any_part_of_a_string_is_unreadable),
		TEST(what_could_not_be_verified_is_not_made),
		TEST(another_cost_is_outdated),
		TEST(a_decoy_is_like_a_users),
		TEST(an_order_to_verify_has_todays_pace),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
