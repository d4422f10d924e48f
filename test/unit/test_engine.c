/* SPDX-License-Identifier: MIT */
/*
 * The engines are held against each other, and against the vector of RFC 9106 section 5.3 as far as
 * a PHC string goes: that one has a secret and associated data, so what is compared here are vectors
 * of the reference implementation, and every engine with every other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <argon2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "passwords/engine.h"

#define SALT "somesaltsomesalt"
#define MEMORY_SIZE ((size_t)1024 * 1024)

static const struct hash_order standard = {
	.memory = 64,
	.passes = 2,
	.lanes = 1,
	.password = { "correct horse battery staple", 28 },
	.salt = (const unsigned char *)SALT,
	.salt_size = 16,
	.hash_size = 32,
};

static struct hash_memory map_memory(void)
{
	void *at =
		mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(at != MAP_FAILED);
	return (struct hash_memory){ at, MEMORY_SIZE };
}

/* Every engine that applies gives what the library's plain interface gives. */
static void assert_all_agree(const struct hash_order *order)
{
	unsigned char expected[64];
	unsigned char hash[64];
	assert_int_equal(argon2id_hash_raw(order->passes, order->memory, order->lanes,
				 order->password.at, order->password.length, order->salt,
				 order->salt_size, expected, order->hash_size),
		ARGON2_OK);
	for (size_t i = 0; engines[i]; i++) {
		if (!engines[i]->applies(order))
			continue;
		memset(hash, 0, sizeof(hash));
		assert_true(engines[i]->compute(order, hash));
		if (memcmp(hash, expected, order->hash_size) != 0)
			fail_msg("%s: m=%u t=%u p=%u is another hash", engines[i]->name,
				order->memory, order->passes, order->lanes);
	}
}

/* RFC 9106 section 5.3: what only libargon2 can be given, to know that it is the function of the RFC
 * that the others are held against. */
static void the_reference_is_that_of_the_rfc(void **state)
{
	(void)state;
	static const unsigned char tag[32] = { 0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08,
		0xc0, 0x37, 0xa3, 0x4a, 0x8b, 0x53, 0xc9, 0xd0, 0x1e, 0xf0, 0x45, 0x2d, 0x75, 0xb6,
		0x5e, 0xb5, 0x25, 0x20, 0xe9, 0x6b, 0x01, 0xe6, 0x59 };
	unsigned char password[32];
	unsigned char salt[16];
	unsigned char secret[8];
	unsigned char associated[12];
	unsigned char hash[32];
	memset(password, 1, sizeof(password));
	memset(salt, 2, sizeof(salt));
	memset(secret, 3, sizeof(secret));
	memset(associated, 4, sizeof(associated));
	argon2_context context = {
		.out = hash,
		.outlen = sizeof(hash),
		.pwd = password,
		.pwdlen = sizeof(password),
		.salt = salt,
		.saltlen = sizeof(salt),
		.secret = secret,
		.secretlen = sizeof(secret),
		.ad = associated,
		.adlen = sizeof(associated),
		.t_cost = 3,
		.m_cost = 32,
		.lanes = 4,
		.threads = 4,
		.version = ARGON2_VERSION_13,
	};
	assert_int_equal(argon2id_ctx(&context), ARGON2_OK);
	assert_memory_equal(hash, tag, sizeof(tag));
}

static void all_engines_give_the_same_hash(void **state)
{
	(void)state;
	static const struct {
		uint32_t memory, passes, lanes;
		size_t salt_size, hash_size;
	} rows[] = { { 19456, 2, 1, 16, 32 }, { 8, 1, 1, 16, 16 }, { 8, 1, 1, 16, 64 },
		{ 9, 3, 1, 16, 32 }, { 19457, 1, 1, 16, 32 }, { 65536, 3, 1, 16, 32 },
		{ 64, 16, 1, 16, 33 }, { 64, 2, 1, 8, 32 }, { 64, 2, 1, 17, 32 },
		{ 64, 2, 4, 16, 32 }, { 1000, 2, 8, 16, 32 } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static const unsigned char salt[] = "a salt that is long enough for all of them";
		struct hash_order order = standard;
		order.memory = rows[i].memory;
		order.passes = rows[i].passes;
		order.lanes = rows[i].lanes;
		order.salt = salt;
		order.salt_size = rows[i].salt_size;
		order.hash_size = rows[i].hash_size;
		assert_all_agree(&order);
	}
}

static void any_password_will_do(void **state)
{
	(void)state;
	static char lengthy[5000];
	memset(lengthy, 0xe9, sizeof(lengthy));
	const struct text passwords[] = { TEXT(""), TEXT("\0"), TEXT("a\0b"), TEXT("\xff\xfe"),
		{ lengthy, sizeof(lengthy) } };
	for (size_t i = 0; i < sizeof(passwords) / sizeof(passwords[0]); i++) {
		struct hash_order order = standard;
		order.password = passwords[i];
		assert_all_agree(&order);
	}
}

static void at_least_libargon2_applies_to_everything(void **state)
{
	(void)state;
	struct hash_order order = standard;
	order.lanes = 8;
	order.salt_size = 64;
	order.hash_size = 64;
	size_t count = 0;
	while (engines[count])
		count++;
	assert_true(engines[count - 1]->applies(&order));
}

/* The point of lending: no other memory is used, and what the last hash left in it does not matter. */
static void lent_memory_is_worked_in(void **state)
{
	(void)state;
	struct hash_memory memory = map_memory();
	for (size_t i = 0; engines[i]; i++) {
		struct hash_order order = standard;
		char *last = (char *)memory.at + order.memory * 1024 - 1024;
		unsigned char own[32];
		unsigned char hash[32];
		char before[1024];
		assert_true(engines[i]->compute(&order, own));
		order.work = memory;
		memset(memory.at, 0xa5, memory.size);
		for (int round = 0; round < 3; round++) {
			memcpy(before, last, sizeof(before));
			assert_true(engines[i]->compute(&order, hash));
			assert_memory_equal(hash, own, sizeof(own));
			/* libargon2 clears it behind itself, which is another way of using it */
			if (round == 0 && memcmp(before, last, sizeof(before)) == 0)
				fail_msg("%s works elsewhere", engines[i]->name);
		}
		/* none of it behind what the order says */
		for (size_t at = order.memory * 1024; at < memory.size; at++)
			assert_int_equal(((unsigned char *)memory.at)[at], 0xa5);
	}
	munmap(memory.at, memory.size);
}

static void too_little_memory_is_left_alone(void **state)
{
	(void)state;
	struct hash_memory memory = map_memory();
	memset(memory.at, 0xa5, memory.size);
	struct hash_order order = standard;
	order.memory = 1028;
	order.work = memory;
	assert_all_agree(&order);
	order.memory = 64;
	order.work.size = 64 * 1024 - 4096;
	assert_all_agree(&order);
	for (size_t at = 0; at < memory.size; at++)
		assert_int_equal(((unsigned char *)memory.at)[at], 0xa5);
	munmap(memory.at, memory.size);
}

/* What is lent for a hash is not given to anybody who maps memory afterwards. */
static void mapping_goes_on_as_ever(void **state)
{
	(void)state;
	struct hash_order order = standard;
	unsigned char hash[32];
	order.work = map_memory();
	for (size_t i = 0; engines[i]; i++) {
		assert_true(engines[i]->compute(&order, hash));
		struct hash_memory other = map_memory();
		assert_ptr_not_equal(other.at, order.work.at);
		assert_int_equal(munmap(other.at, other.size), 0);
	}
	assert_int_equal(munmap(order.work.at, order.work.size), 0);
	void *failed = mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(failed == MAP_FAILED);
}

static void impossible_orders_are_refused(void **state)
{
	(void)state;
	unsigned char hash[64];
	for (size_t i = 0; engines[i]; i++) {
		struct hash_order order = standard;
		order.memory = 7;
		assert_false(engines[i]->applies(&order) && engines[i]->compute(&order, hash));
		order = standard;
		order.passes = 0;
		assert_false(engines[i]->applies(&order) && engines[i]->compute(&order, hash));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_reference_is_that_of_the_rfc),
		cmocka_unit_test(all_engines_give_the_same_hash),
		cmocka_unit_test(any_password_will_do),
		cmocka_unit_test(at_least_libargon2_applies_to_everything),
		cmocka_unit_test(lent_memory_is_worked_in),
		cmocka_unit_test(too_little_memory_is_left_alone),
		cmocka_unit_test(mapping_goes_on_as_ever),
		cmocka_unit_test(impossible_orders_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
