/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "mail/transport.h"

static bool safe(const char *address)
{
	return address_is_safe(text_of(address));
}

static void ordinary_addresses_are_safe(void **state)
{
	(void)state;
	assert_true(safe("a@b"));
	assert_true(safe("jane.doe+tag@mail.example.com"));
	assert_true(safe("o'brien_!#$%&*-/=?^`{|}~@example.com"));
}

static void an_address_has_one_at_with_something_on_both_sides(void **state)
{
	(void)state;
	assert_false(safe(""));
	assert_false(safe("@"));
	assert_false(safe("jane"));
	assert_false(safe("@example.com"));
	assert_false(safe("jane@"));
	assert_false(safe("jane@doe@example.com"));
	assert_false(address_is_safe(TEXT_NONE));
}

/* libesmtp writes an address as it is: each of these would end the command or the address */
static void nothing_that_ends_a_command_is_safe(void **state)
{
	(void)state;
	assert_false(safe("v@example.com>\r\nRCPT TO:<injected@example.com"));
	assert_false(safe("v@example.com\nDATA"));
	assert_false(safe("v@example.com\r"));
	assert_false(safe("v@example.com> SIZE=1"));
	for (int octet = 0; octet < 256; octet++) {
		char address[] = "ja?ne@example.com";
		address[2] = (char)octet;
		bool meant = octet > 0x20 && octet < 0x7f && !strchr("<>()[]\\,;:\"@", octet);
		assert_int_equal(
			address_is_safe((struct text){ address, strlen("ja?ne@example.com") }),
			meant);
	}
}

static void an_address_has_254_octets_at_most(void **state)
{
	(void)state;
	char address[256];
	memset(address, 'a', sizeof(address));
	address[60] = '@';
	assert_true(address_is_safe((struct text){ address, 254 }));
	assert_false(address_is_safe((struct text){ address, 255 }));
}

static void assert_parsed(const char *from, const char *name, const char *address)
{
	struct text parsed_name = TEXT("unset");
	struct text parsed_address;
	assert_true(address_parse(from, &parsed_name, &parsed_address));
	assert_int_equal(text_is_given(parsed_name), name != NULL);
	assert_true(text_equal(parsed_name, text_of(name)));
	assert_true(text_equal(parsed_address, text_of(address)));
}

static void a_sender_is_an_address_with_or_without_a_name(void **state)
{
	(void)state;
	assert_parsed("a@example.com", NULL, "a@example.com");
	assert_parsed("  a@example.com ", NULL, "a@example.com");
	assert_parsed("<a@example.com>", NULL, "a@example.com");
	assert_parsed("Jane Doe <a@example.com>", "Jane Doe", "a@example.com");
	assert_parsed("\"Doe, Jane\" <a@example.com>", "Doe, Jane", "a@example.com");
	assert_parsed("Z\xc3\xbcrich <a@example.com>", "Z\xc3\xbcrich", "a@example.com");
}

static void a_sender_without_a_safe_address_is_refused(void **state)
{
	(void)state;
	struct text name = TEXT("unset");
	struct text address = TEXT("unset");
	assert_false(address_parse("", &name, &address));
	assert_false(address_parse("Jane", &name, &address));
	assert_false(address_parse("Jane <a@example.com", &name, &address));
	assert_false(address_parse("Jane <>", &name, &address));
	assert_false(address_parse("Jane <a@example.com> x", &name, &address));
	assert_false(address_parse("a@example.com, b@example.com", &name, &address));
	assert_true(text_equal(name, TEXT("unset")));
	assert_true(text_equal(address, TEXT("unset")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordinary_addresses_are_safe),
		cmocka_unit_test(an_address_has_one_at_with_something_on_both_sides),
		cmocka_unit_test(nothing_that_ends_a_command_is_safe),
		cmocka_unit_test(an_address_has_254_octets_at_most),
		cmocka_unit_test(a_sender_is_an_address_with_or_without_a_name),
		cmocka_unit_test(a_sender_without_a_safe_address_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
