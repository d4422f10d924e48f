/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/err.h>
#include <string.h>

#include "tokens/onetime.h"

#define RECIPIENT TEXT("a@example.com")

struct fixture {
	struct arena arena;
	struct signing_key keys[2];
	struct keyring keyring;
};

static int set_up(void **state)
{
	static struct fixture fixture;
	fixture = (struct fixture){
		.keys = { { .kid = TEXT("key-one") }, { .kid = TEXT("key-two") } },
		.keyring = { .keys = fixture.keys, .count = 2, .current = &fixture.keys[1] },
	};
	memset(fixture.keys[0].seal, 7, DERIVED_KEY_SIZE);
	memset(fixture.keys[1].seal, 8, DERIVED_KEY_SIZE);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	arena_finish(&fixture->arena);
	return 0;
}

static bool is_token(struct fixture *fixture, struct text token)
{
	unsigned char digest[SHA256_SIZE];
	return onetime_digest(&fixture->arena, token, digest);
}

static struct text seal(struct fixture *fixture, struct text token)
{
	struct text sealed = TEXT_NONE;
	assert_true(onetime_seal(&fixture->arena, &fixture->keyring, token, RECIPIENT, &sealed));
	return sealed;
}

static bool opens(struct fixture *fixture, struct text sealed, struct text bound)
{
	struct text token = TEXT("untouched");
	bool opened = onetime_open(&fixture->arena, &fixture->keyring, sealed, bound, &token);
	assert_true(opened || text_equal(token, TEXT("untouched")));
	assert_int_equal(ERR_peek_error(), 0);
	return opened;
}

static void a_token_is_32_octets_nobody_knows(void **state)
{
	struct fixture *fixture = *state;
	struct onetime first = onetime_create(&fixture->arena);
	struct onetime second = onetime_create(&fixture->arena);
	struct text octets;
	assert_int_equal(first.token.length, 43);
	assert_true(base64url_decode(&fixture->arena, first.token, &octets));
	assert_int_equal(octets.length, ONETIME_SIZE);
	assert_false(text_equal(first.token, second.token));
	assert_memory_not_equal(first.digest, second.digest, SHA256_SIZE);
}

static void it_is_found_by_its_digest(void **state)
{
	struct fixture *fixture = *state;
	struct onetime onetime = onetime_create(&fixture->arena);
	unsigned char digest[SHA256_SIZE];
	assert_true(onetime_digest(&fixture->arena, onetime.token, digest));
	assert_memory_equal(digest, onetime.digest, SHA256_SIZE);
}

/* printf %43s | tr ' ' A | sha256sum */
static void the_digest_is_of_the_characters(void **state)
{
	static const unsigned char expected[SHA256_SIZE] = { 0x0f, 0x00, 0x73, 0x85, 0xb6, 0xf9,
		0xd4, 0xb7, 0xee, 0xb2, 0x74, 0x86, 0x05, 0xaf, 0xe1, 0xa9, 0x84, 0xa0, 0xa3, 0xbf,
		0xa3, 0xf0, 0x14, 0xd0, 0x9e, 0x2a, 0x78, 0x4c, 0xe9, 0xe5, 0xcd, 0x1a };
	struct fixture *fixture = *state;
	unsigned char digest[SHA256_SIZE];
	assert_true(onetime_digest(
		&fixture->arena, TEXT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), digest));
	assert_memory_equal(digest, expected, SHA256_SIZE);
}

static void what_cannot_be_a_token_is_refused(void **state)
{
	const struct text bad[] = {
		TEXT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
		TEXT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
		TEXT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
		TEXT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB"),
		TEXT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAC"),
		TEXT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD"),
		TEXT("AAAAAAAAAAAAAAAAAAAAA+AAAAAAAAAAAAAAAAAAAAA"),
		TEXT("AAAAAAAAAAAAAAAAAAAAA/AAAAAAAAAAAAAAAAAAAAA"),
		TEXT(" AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
		TEXT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"),
		TEXT("AAAAAAAAAAAAAAAAAAAAA\0"
		     "AAAAAAAAAAAAAAAAAAAAA"),
		TEXT("AAAAAAAAAAAAAAAAAAAAA%AAAAAAAAAAAAAAAAAAAAA"),
		TEXT("AAAAAAAAAAAAAAAAAAAAA\xc3\xa4"
		     "AAAAAAAAAAAAAAAAAAAA"),
		TEXT(""),
		TEXT_NONE,
	};
	struct fixture *fixture = *state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (is_token(fixture, bad[i]))
			fail_msg("taken: %.*s", TEXT_PRINTF(bad[i]));
	assert_true(is_token(fixture, TEXT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE")));
	assert_true(is_token(fixture, TEXT("-_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")));
}

static void what_was_sealed_opens(void **state)
{
	struct fixture *fixture = *state;
	struct onetime onetime = onetime_create(&fixture->arena);
	struct text sealed = seal(fixture, onetime.token);
	struct text token;
	assert_true(onetime_open(&fixture->arena, &fixture->keyring, sealed, RECIPIENT, &token));
	assert_true(text_equal(token, onetime.token));
	/* kid.base64url(nonce, ciphertext, tag) */
	assert_true(text_starts_with(sealed, TEXT("key-two.")));
	assert_int_equal(sealed.length, strlen("key-two.") + (12 + 43 + 16) * 4 / 3 + 1);
}

/* The form and the cipher are what other code, and letters under way, know them to be. */
static void what_another_implementation_sealed_opens(void **state)
{
	struct fixture *fixture = *state;
	struct text token;
	assert_true(onetime_open(&fixture->arena, &fixture->keyring,
		TEXT("key-one.AAECAwQFBgcICQoLbOmMUGlmsiwZk6d6EPEILVy_6AzU8Dl_QQ"), RECIPIENT,
		&token));
	assert_true(text_equal(token, TEXT("the token")));
}

static void the_token_is_not_to_be_seen(void **state)
{
	struct fixture *fixture = *state;
	struct onetime onetime = onetime_create(&fixture->arena);
	struct text first = seal(fixture, onetime.token);
	struct text second = seal(fixture, onetime.token);
	assert_false(text_equal(first, second));
	struct text box;
	char token[9];
	for (size_t i = 0; i < sizeof(token); i++)
		token[i] = onetime.token.at[i];
	assert_true(base64url_decode(&fixture->arena, text_after(first, 8), &box));
	assert_null(memmem(box.at, box.length, token, 8));
	assert_null(memmem(first.at, first.length, token, 8));
}

static void it_opens_for_its_recipient_only(void **state)
{
	struct fixture *fixture = *state;
	struct text sealed = seal(fixture, TEXT("the token"));
	assert_true(opens(fixture, sealed, RECIPIENT));
	assert_false(opens(fixture, sealed, TEXT("b@example.com")));
	assert_false(opens(fixture, sealed, TEXT("A@example.com")));
	assert_false(opens(fixture, sealed, TEXT("a@example.com ")));
	assert_false(opens(fixture, sealed, TEXT("")));
}

static void it_opens_after_a_rotation_while_the_key_is_there(void **state)
{
	struct fixture *fixture = *state;
	struct text sealed = seal(fixture, TEXT("the token"));
	fixture->keyring.current = &fixture->keys[0];
	assert_true(opens(fixture, sealed, RECIPIENT));
	fixture->keyring.count = 1;
	assert_false(opens(fixture, sealed, RECIPIENT));
}

static void another_key_does_not_open_it(void **state)
{
	struct fixture *fixture = *state;
	struct text sealed = seal(fixture, TEXT("the token"));
	assert_false(opens(fixture,
		text_format(&fixture->arena, "key-one.%.*s", TEXT_PRINTF(text_after(sealed, 8))),
		RECIPIENT));
	fixture->keys[1].seal[31] ^= 1;
	assert_false(opens(fixture, sealed, RECIPIENT));
}

static void any_flipped_bit_is_seen(void **state)
{
	struct fixture *fixture = *state;
	struct text sealed = seal(fixture, TEXT("the token"));
	char *octets = text_string(&fixture->arena, sealed);
	for (size_t bit = 0; bit < sealed.length * 8; bit++) {
		octets[bit / 8] ^= (char)(1 << bit % 8);
		if (opens(fixture, (struct text){ octets, sealed.length }, RECIPIENT))
			fail_msg("bit %zu", bit);
		octets[bit / 8] ^= (char)(1 << bit % 8);
	}
	assert_true(opens(fixture, (struct text){ octets, sealed.length }, RECIPIENT));
}

static void a_part_of_it_does_not_open(void **state)
{
	struct fixture *fixture = *state;
	struct text sealed = seal(fixture, TEXT("the token"));
	for (size_t length = 0; length < sealed.length; length++)
		assert_false(opens(fixture, (struct text){ sealed.at, length }, RECIPIENT));
	assert_false(opens(fixture, text_after(sealed, 8), RECIPIENT));
	assert_false(opens(
		fixture, text_format(&fixture->arena, "%.*s.", TEXT_PRINTF(sealed)), RECIPIENT));
	assert_false(opens(fixture, TEXT_NONE, RECIPIENT));
	assert_false(opens(fixture, TEXT("."), RECIPIENT));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_token_is_32_octets_nobody_knows),
		TEST(it_is_found_by_its_digest),
		TEST(the_digest_is_of_the_characters),
		TEST(what_cannot_be_a_token_is_refused),
		TEST(what_was_sealed_opens),
		TEST(what_another_implementation_sealed_opens),
		TEST(the_token_is_not_to_be_seen),
		TEST(it_opens_for_its_recipient_only),
		TEST(it_opens_after_a_rotation_while_the_key_is_there),
		TEST(another_key_does_not_open_it),
		TEST(any_flipped_bit_is_seen),
		TEST(a_part_of_it_does_not_open),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
