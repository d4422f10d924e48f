/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "base/unicode.h"

static bool has(const char *text)
{
	assert_true(utf8_is_valid(text_of(text)));
	return unicode_has_control(text_of(text));
}

static void what_is_not_seen_is_found_wherever_it_stands(void **state)
{
	(void)state;
	/* the first and the last of each length in UTF-8, and what names are attacked with */
	static const char *const bad[] = { "\x01", "\x1f", "\x7f", "\xc2\x80", "\xc2\x85",
		"\xc2\x9f", "\u00ad", "\u061c", "\u180e", "\u200b", "\u200e", "\u200f", "\u2028",
		"\u2029", "\u202a", "\u202e", "\u2060", "\u2066", "\u2069", "\u206f", "\ufeff",
		"\ufff9", "\ufffb", "\U000110bd", "\U00013430", "\U0001343f", "\U0001bca0",
		"\U0001d17a", "\U000e0001", "\U000e0020", "\U000e007f" };
	char text[16];
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_true(has(bad[i]));
		snprintf(text, sizeof(text), "%sa", bad[i]);
		assert_true(has(text));
		snprintf(text, sizeof(text), "\U0001f600%s", bad[i]);
		assert_true(has(text));
		snprintf(text, sizeof(text), "a\u00e4%sz", bad[i]);
		assert_true(has(text));
	}
	assert_true(unicode_has_control(TEXT("a\0b")));
}

static void what_names_are_spelled_with_is_not(void **state)
{
	(void)state;
	static const char *const good[] = { "", " ", "~", "\u00a0", "\u00ac", "\u00ae", "Zo\u00eb",
		"\u05d3\u05d5\u05d3", "\u0645\u06cc\u200c\u062e\u0648", "\u0915\u094d\u200d\u0937",
		"\u200a", "\u2027", "\u202f", "\u2065", "\u2070", "\u674e", "\ud7ff", "\ue000",
		"\ufefe", "\ufffc", "\uffff", "\U00010000", "\U0001f468\u200d\U0001f469",
		"\U000e0000", "\U000e0080", "\U0010ffff" };
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_false(has(good[i]));
	assert_false(unicode_has_control(TEXT_NONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_seen_is_found_wherever_it_stands),
		cmocka_unit_test(what_names_are_spelled_with_is_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
