/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "operations/values.h"
#include "operations/weak.h"

static struct arena arena;
static const struct settings settings = { .passwords_min_length = 8,
	.passwords_weak = WEAK_REFUSE,
	.mail_site = "",
	.api_base_url = "https://auth.example-shop.co.uk:8443/api/auth" };
static const struct blocklist blocklist = { .at = "letmein12\nlistedword\n", .size = 21 };
static const struct context context = {
	.settings = &settings, .blocklist = &blocklist, .arena = &arena
};

static bool takes(enum value_kind kind, const char *value)
{
	return value_check(&context, kind, text_of(value)) == NULL;
}

static struct text repeat(char c, size_t count)
{
	char *at = arena_alloc(&arena, count + 1);
	memset(at, c, count);
	return (struct text){ at, count };
}

static void email_takes_what_can_be_written_to(void **state)
{
	(void)state;
	static const char *const good[] = { "user@example.com", "a@b.co",
		"first.last+tag@sub.example.org", "o'brien@example.com",
		"x!#$%&'*+-/=?^_`{|}~@example.com", "USER@EXAMPLE.COM", "1@1.example",
		"a@xn--bcher-kva.example" };
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(takes(VALUE_EMAIL, good[i]));
}

static void email_refuses_the_rest(void **state)
{
	(void)state;
	static const char *const bad[] = { "plain", "@example.com", "user@", "user@localhost",
		"a@b@c.com", ".a@example.com", "a.@example.com", "a..b@example.com",
		"a b@example.com", "a@exa mple.com", "a@-example.com", "a@example-.com", "a@.com",
		"a@example..com", "a@example.com.", "\"a\"@example.com", "a@[127.0.0.1]",
		"a\r\nBcc: b@example.com", "a@example.com\n", "a@ex\tample.com", "ä@example.com",
		"a@ä.com", "a<b@example.com", "a@exam_ple.com" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (takes(VALUE_EMAIL, bad[i]))
			fail_msg("taken: %s", bad[i]);
}

static void email_lengths(void **state)
{
	(void)state;
	struct text local = repeat('a', 64);
	assert_true(takes(VALUE_EMAIL, arena_format(&arena, "%s@example.com", local.at)));
	assert_false(takes(VALUE_EMAIL, arena_format(&arena, "a%s@example.com", local.at)));
	struct text label = repeat('b', 63);
	assert_true(takes(VALUE_EMAIL, arena_format(&arena, "a@%s.com", label.at)));
	assert_false(takes(VALUE_EMAIL, arena_format(&arena, "a@b%s.com", label.at)));
	const char *longest = arena_format(
		&arena, "%s@%s.%s.%.*s.com", local.at, label.at, label.at, 57, label.at);
	assert_int_equal(strlen(longest), 254);
	assert_true(takes(VALUE_EMAIL, longest));
	assert_false(takes(VALUE_EMAIL, arena_format(&arena, "%s@%s.%s.%.*s.com", local.at,
						label.at, label.at, 58, label.at)));
}

static void username_characters(void **state)
{
	(void)state;
	assert_true(takes(VALUE_USERNAME, "jane.doe+x@example-1_"));
	assert_false(takes(VALUE_USERNAME, "jane doe"));
	assert_false(takes(VALUE_USERNAME, "jané"));
	assert_false(takes(VALUE_USERNAME, "jane/doe"));
	assert_null(value_check(&context, VALUE_USERNAME, repeat('a', 150)));
	assert_non_null(value_check(&context, VALUE_USERNAME, repeat('a', 151)));
}

static void password_counts_code_points_then_octets(void **state)
{
	(void)state;
	assert_false(takes(VALUE_NEW_PASSWORD, "1234567"));
	assert_true(takes(VALUE_NEW_PASSWORD, "abc defg"));
	assert_false(takes(VALUE_NEW_PASSWORD, "abc def"));
	assert_true(takes(VALUE_NEW_PASSWORD, "        "));
	assert_false(takes(VALUE_NEW_PASSWORD, "ääääääa")); /* 7 characters, 13 octets */
	assert_true(takes(VALUE_NEW_PASSWORD, "ääääääaa"));
	assert_null(value_check(&context, VALUE_NEW_PASSWORD, repeat('x', 128)));
	assert_non_null(value_check(&context, VALUE_NEW_PASSWORD, repeat('x', 129)));
	assert_null(value_check(&context, VALUE_PASSWORD, repeat('x', 512)));
	assert_non_null(value_check(&context, VALUE_PASSWORD, repeat('x', 513)));
}

static void password_refuses_the_common(void **state)
{
	(void)state;
	assert_false(takes(VALUE_NEW_PASSWORD, "listedword"));
	assert_false(takes(VALUE_NEW_PASSWORD, "ListedWord"));
	assert_false(takes(VALUE_NEW_PASSWORD, "password1"));
	assert_false(takes(VALUE_NEW_PASSWORD, "PassWord1"));
	assert_true(takes(VALUE_NEW_PASSWORD, "listedword2"));
	assert_true(takes(VALUE_PASSWORD, "password1")); /* one that is in use already */
}

static bool is_weak(const char *base_url, const char *site, const char *password)
{
	struct settings other = settings;
	other.api_base_url = base_url;
	other.mail_site = site;
	return weak_anywhere(&other, text_of(password)) != NULL;
}

static void password_refuses_the_name_of_the_site(void **state)
{
	(void)state;
	static const char *const auth = "https://auth.example-shop.co.uk:8443/api/auth";
	assert_true(is_weak(auth, "", "my example-shop password"));
	assert_true(is_weak(auth, "", "EXAMPLE-SHOP2026"));
	assert_false(is_weak(auth, "", "authentic bananas"));
	assert_false(is_weak(auth, "", "https uk co 8443 api"));
	assert_true(is_weak("https://www.example.info", "", "example-99"));
	assert_false(is_weak("https://www.example.info", "", "my www information"));
	assert_true(is_weak("http://localhost:8080/api/auth", "", "localhost99"));
	assert_false(is_weak("http://192.168.1.10/api/auth", "", "192.168.1.10 ok"));
	assert_false(is_weak("http://[2001:db8::1]/api/auth", "", "2001:db8::1 fine"));
	assert_true(is_weak(auth, "Käse & Co", "brot und käse"));
	assert_false(is_weak(auth, "Käse & Co", "brot und co & wein"));
	assert_true(is_weak(auth, "shop.test", "my shop here"));
	assert_false(is_weak(auth, "shop.test", "my test here"));
	assert_true(is_weak(auth, "Login", "login here please"));
}

static bool is_weak_for(const char *password, const char *email, const char *username)
{
	return weak_for_account(&settings, text_of(password), text_of(email), text_of(username)) !=
	       NULL;
}

static void password_refuses_the_name_of_the_account(void **state)
{
	(void)state;
	assert_true(is_weak_for("jane.doe2026", "Jane.Doe@example.com", NULL));
	assert_true(is_weak_for("xxJANE.DOExx", "jane.doe@example.com", NULL));
	assert_false(is_weak_for("jane doe 2026", "jane.doe@example.com", NULL));
	assert_false(is_weak_for("bob's bicycle", "bob@example.com", NULL));
	assert_true(is_weak_for("user's bicycle", "user@example.com", NULL));
	assert_false(is_weak_for("example.com 99", "user@example.com", NULL));
	assert_true(is_weak_for("bob's bicycle", "jane@example.com", "Bob"));
	assert_false(is_weak_for("bo's bicycle", "jane@example.com", "bo"));
	assert_true(is_weak_for("bob", "jane@example.com", "bob"));
	assert_false(is_weak_for("", "jane@example.com", "bob"));
}

static void weak_passwords_may_be_allowed(void **state)
{
	(void)state;
	struct settings other = settings;
	other.passwords_weak = WEAK_ALLOW;
	struct context allowing = context;
	allowing.settings = &other;
	assert_null(value_check(&allowing, VALUE_NEW_PASSWORD, TEXT("password1")));
	assert_null(value_check(&allowing, VALUE_NEW_PASSWORD, TEXT("example-shop")));
	assert_null(
		weak_for_account(&other, TEXT("user1234"), TEXT("user@example.com"), TEXT_NONE));
	assert_non_null(value_check(&allowing, VALUE_NEW_PASSWORD, TEXT("listedword")));
	assert_non_null(value_check(&allowing, VALUE_NEW_PASSWORD, TEXT("short")));
}

static void nul_is_refused_everywhere(void **state)
{
	(void)state;
	for (int kind = 0; kind < VALUE_KIND_COUNT; kind++)
		assert_non_null(value_check(&context, (enum value_kind)kind, TEXT("user\0name12")));
}

static void name_is_one_line_of_something(void **state)
{
	(void)state;
	assert_true(takes(VALUE_NAME, "Zoë O'Hara-李"));
	assert_false(takes(VALUE_NAME, "   "));
	assert_false(takes(VALUE_NAME, "a\nb"));
	assert_false(takes(VALUE_NAME, "John\u202eeoD"));
	assert_true(takes(VALUE_NAME, "\u0645\u06cc\u200c\u062e\u0648"));
	assert_null(value_check(&context, VALUE_NAME,
		text_format(&arena, "%.*s\u00e4", TEXT_PRINTF(repeat('n', 199)))));
	assert_non_null(value_check(&context, VALUE_NAME,
		text_format(&arena, "%.*s\u00e4", TEXT_PRINTF(repeat('n', 200)))));
	assert_null(value_check(&context, VALUE_NAME, repeat('n', 200)));
	assert_non_null(value_check(&context, VALUE_NAME, repeat('n', 201)));
}

static void check_names(const char *full, const char *first, const char *last,
	const char *full_after, const char *first_after, const char *last_after)
{
	struct text names[] = { text_of(full), text_of(first), text_of(last) };
	value_names(&arena, &names[0], &names[1], &names[2]);
	assert_true(text_equal(names[0], text_of(full_after)));
	assert_true(text_equal(names[1], text_of(first_after)));
	assert_true(text_equal(names[2], text_of(last_after)));
}

static void names_are_readable_from_either_form(void **state)
{
	(void)state;
	check_names("John Doe", NULL, NULL, "John Doe", "John", "Doe");
	check_names("John van der Doe", NULL, NULL, "John van der Doe", "John van der", "Doe");
	check_names("Madonna", NULL, NULL, "Madonna", "Madonna", "");
	check_names(NULL, "John", "Doe", "John Doe", "John", "Doe");
	check_names(NULL, "John", NULL, "John", "John", "");
	check_names(NULL, NULL, "Doe", "Doe", "", "Doe");
	check_names("J. Doe", "John", "Doe", "J. Doe", "John", "Doe");
	check_names(NULL, NULL, NULL, "", "", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(email_takes_what_can_be_written_to),
		cmocka_unit_test(email_refuses_the_rest),
		cmocka_unit_test(email_lengths),
		cmocka_unit_test(username_characters),
		cmocka_unit_test(password_counts_code_points_then_octets),
		cmocka_unit_test(password_refuses_the_common),
		cmocka_unit_test(password_refuses_the_name_of_the_site),
		cmocka_unit_test(password_refuses_the_name_of_the_account),
		cmocka_unit_test(weak_passwords_may_be_allowed),
		cmocka_unit_test(nul_is_refused_everywhere),
		cmocka_unit_test(name_is_one_line_of_something),
		cmocka_unit_test(names_are_readable_from_either_form),
	};
	arena_init(&arena);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_finish(&arena);
	return failed;
}
