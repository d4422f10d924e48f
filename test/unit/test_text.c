/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static struct arena arena;

static void same(struct text text, const char *expected)
{
	assert_int_equal(text.length, strlen(expected));
	assert_memory_equal(text.at, expected, text.length);
}

static void what_is_not_given_is_not_empty(void **state)
{
	(void)state;
	assert_false(text_is_given(TEXT_NONE));
	assert_false(text_is_given(text_of(NULL)));
	assert_true(text_is_given(TEXT("")));
	assert_true(text_is_given(text_of("")));
	assert_true(text_equal(TEXT_NONE, TEXT("")));
	assert_false(text_is_given(text_lower(&arena, TEXT_NONE)));
	assert_false(text_is_given(text_after(TEXT_NONE, 3)));
	assert_false(text_is_given(text_trim(TEXT_NONE)));
	assert_true(text_is_given(text_trim(TEXT(" "))));
}

static void equality_counts_every_octet(void **state)
{
	(void)state;
	assert_true(text_equal(TEXT("a\0b"), TEXT("a\0b")));
	assert_false(text_equal(TEXT("a\0b"), TEXT("a\0c")));
	assert_false(text_equal(TEXT("a"), TEXT("a\0")));
	assert_false(text_equal(TEXT("a"), TEXT("A")));
	assert_true(text_equal_fold(TEXT("aZ[`{@"), TEXT("Az[`{@")));
	/* those are next to the letters, or letters elsewhere */
	assert_false(text_equal_fold(TEXT("@"), TEXT("`")));
	assert_false(text_equal_fold(TEXT("["), TEXT("{")));
	assert_false(text_equal_fold(TEXT("\xc4"), TEXT("\xe4")));
	assert_false(text_equal_fold(TEXT("ab"), TEXT("abc")));
}

static void order_is_that_of_octets(void **state)
{
	(void)state;
	static const struct text sorted[] = { { NULL, 0 }, { "\0", 1 }, { "A", 1 }, { "a", 1 },
		{ "a\0", 2 }, { "ab", 2 }, { "b", 1 }, { "\x80", 1 }, { "\xff", 1 } };
	const int count = sizeof(sorted) / sizeof(sorted[0]);
	for (int i = 0; i < count; i++)
		for (int k = 0; k < count; k++) {
			int order = text_compare(sorted[i], sorted[k]);
			assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
		}
}

static void parts_are_views_of_the_whole(void **state)
{
	(void)state;
	struct text text = TEXT("a=b=c");
	assert_int_equal(text_find(text, '='), 1);
	assert_int_equal(text_find_last(text, '='), 3);
	assert_int_equal(text_find(text, 'x'), text.length);
	assert_int_equal(text_find_last(text, 'x'), text.length);
	assert_int_equal(text_find(TEXT_NONE, 'x'), 0);
	assert_int_equal(text_find(TEXT("a\0b"), 'b'), 2);
	assert_ptr_equal(text_after(text, 2).at, text.at + 2);
	same(text_after(text, 5), "");
	same(text_after(text, SIZE_MAX), "");
	same(text_trim(TEXT(" \t\r\n a b \n")), "a b");
	same(text_trim(TEXT("\f\v")), "\f\v");
	same(text_trim(TEXT("\xc2\xa0")), "\xc2\xa0");
	assert_true(text_starts_with(text, TEXT("a=")));
	assert_true(text_starts_with(text, TEXT_NONE));
	assert_false(text_starts_with(TEXT("a"), TEXT("a=")));
}

static void a_list_has_one_part_more_than_separators(void **state)
{
	(void)state;
	static const struct {
		const char *list;
		const char *parts[4];
	} rows[] = {
		{ "", { "" } },
		{ "a", { "a" } },
		{ "a,b", { "a", "b" } },
		{ ",", { "", "" } },
		{ "a,,b", { "a", "", "b" } },
		{ ",a,", { "", "a", "" } },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text rest = text_of(rows[i].list);
		struct text part;
		size_t count = 0;
		for (; text_next(&rest, ',', &part); count++)
			same(part, rows[i].parts[count]);
		assert_null(rows[i].parts[count]);
	}
	struct text rest = TEXT_NONE;
	struct text part;
	assert_false(text_next(&rest, ',', &part));
}

static void copies_are_their_owners(void **state)
{
	(void)state;
	struct text text = TEXT("\xc3\x84ZA[");
	same(text_lower(&arena, text), "\xc3\x84za[");
	assert_string_equal(text_string(&arena, TEXT("ab")), "ab");
	assert_string_equal(text_string(&arena, TEXT_NONE), "");
	same(text_format(&arena, "%.*s %d", TEXT_PRINTF(text), 7), "\xc3\x84ZA[ 7");
	same(text_format(&arena, "%.*s", TEXT_PRINTF(TEXT_NONE)), "");
}

static void control_octets_are_those_of_ascii(void **state)
{
	(void)state;
	for (int octet = 0; octet < 256; octet++) {
		char c = (char)octet;
		assert_int_equal(
			text_has_control((struct text){ &c, 1 }), octet < 32 || octet == 127);
	}
	assert_true(text_has_control(TEXT("name\r\nSet-Cookie: a=b")));
	assert_true(text_has_control(TEXT("at the end\n")));
	assert_false(text_has_control(TEXT_NONE));
}

static void integers_reach_as_far_as_their_type(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		long long value;
	} good[] = { { "0", 0 }, { "-0", 0 }, { "007", 7 }, { "-1", -1 },
		{ "9223372036854775807", LLONG_MAX }, { "-9223372036854775808", LLONG_MIN } };
	static const char *const bad[] = { "", "-", "+1", " 1", "1 ", "1.0", "0x10", "--1", "1-",
		"9223372036854775808", "-9223372036854775809", "18446744073709551616",
		"99999999999999999999999999", "/", ":", "\xb2" };
	long long value;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		value = 42;
		assert_true(text_integer(text_of(good[i].text), &value));
		assert_true(value == good[i].value);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		value = 42;
		assert_false(text_integer(text_of(bad[i]), &value));
		assert_int_equal(value, 42);
	}
	assert_false(text_integer(TEXT("1\0"), &value));
}

/* The definition of RFC 3629 in its other form: decode, and see what comes out. */
static bool decodes(const unsigned char *at, size_t length)
{
	for (size_t i = 0; i < length;) {
		unsigned size = at[i] < 0x80       ? 1
				: at[i] >> 5 == 6  ? 2
				: at[i] >> 4 == 14 ? 3
				: at[i] >> 3 == 30 ? 4
						   : 0;
		static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
		if (size == 0 || size > length - i)
			return false;
		uint32_t point = size == 1 ? at[i] : at[i] & (0x7fU >> size);
		for (unsigned k = 1; k < size; k++) {
			if (at[i + k] >> 6 != 2)
				return false;
			point = point << 6 | (at[i + k] & 0x3f);
		}
		if (point < least[size] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
			return false;
		i += size;
	}
	return true;
}

/* All of two octets, all that three and four may begin with, alone and where eight at once are ASCII. */
static void utf8_is_that_of_the_rfc(void **state)
{
	(void)state;
	static const unsigned char edges[] = { 0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
		0xc0, 0xff };
	for (unsigned first = 0; first < 256; first++)
		for (unsigned second = 0; second < 256; second++)
			for (size_t i = 0; i < sizeof(edges) * sizeof(edges); i++) {
				unsigned char octets[] = { 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h',
					'i', (unsigned char)first, (unsigned char)second,
					edges[i / sizeof(edges)], edges[i % sizeof(edges)] };
				for (size_t length = i == 0 ? 1 : 3; length <= 4; length++)
					assert_int_equal(utf8_is_valid((struct text){
								 (char *)octets + 9, length }),
						decodes(octets + 9, length));
				assert_int_equal(utf8_is_valid((struct text){
							 (char *)octets, sizeof(octets) }),
					decodes(octets, sizeof(octets)));
			}
	assert_true(utf8_is_valid(TEXT_NONE));
}

static void length_is_counted_in_characters(void **state)
{
	(void)state;
	assert_int_equal(utf8_length(TEXT("")), 0);
	assert_int_equal(utf8_length(TEXT("Zo\xc3\xab")), 3);
	assert_int_equal(utf8_length(TEXT("\xf0\x9f\x98\x80\xe2\x82\xac\0")), 3);
}

static void base64url_is_that_of_the_rfc(void **state)
{
	(void)state;
	/* RFC 4648 section 10, without padding; and the two letters that are its own */
	static const struct {
		const char *octets;
		const char *encoded;
	} rows[] = { { "", "" }, { "f", "Zg" }, { "fo", "Zm8" }, { "foo", "Zm9v" },
		{ "foob", "Zm9vYg" }, { "fooba", "Zm9vYmE" }, { "foobar", "Zm9vYmFy" },
		{ "\xfb\xff\xfe", "-__-" } };
	struct text octets;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		same(base64url_encode(&arena, rows[i].octets, strlen(rows[i].octets)),
			rows[i].encoded);
		assert_true(base64url_decode(&arena, text_of(rows[i].encoded), &octets));
		same(octets, rows[i].octets);
	}
	static const char *const bad[] = { "Z", "Zg=", "Zg==", "Zh", "Zm9", "Zm8=", "Zm9vY", "+/8",
		"Z g", "Zg\n", "\xc3\xa4" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(base64url_decode(&arena, text_of(bad[i]), &octets));
	assert_false(base64url_decode(&arena, TEXT("Zg\0\0"), &octets));
}

/* Of all words of two and three letters one decodes to each sequence of octets. */
static void base64url_has_one_spelling(void **state)
{
	(void)state;
	for (size_t length = 2; length <= 3; length++) {
		size_t spellings = 0;
		for (unsigned long i = 0; i < 1UL << 8 * length; i++) {
			char word[3] = { (char)(i & 0xff), (char)(i >> 8 & 0xff),
				(char)(i >> 16 & 0xff) };
			struct text octets;
			/* every word of other letters is refused by its first, so those are enough */
			if (i >> 8 * (length - 1) > 0x7f)
				continue;
			spellings +=
				base64url_decode(&arena, (struct text){ word, length }, &octets);
			if (i % 0x1000 == 0)
				arena_reset(&arena);
		}
		assert_int_equal(spellings, 1UL << 8 * (length - 1));
	}
}

static int reset(void **state)
{
	(void)state;
	arena_reset(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(what_is_not_given_is_not_empty, reset),
		cmocka_unit_test_teardown(equality_counts_every_octet, reset),
		cmocka_unit_test_teardown(order_is_that_of_octets, reset),
		cmocka_unit_test_teardown(parts_are_views_of_the_whole, reset),
		cmocka_unit_test_teardown(a_list_has_one_part_more_than_separators, reset),
		cmocka_unit_test_teardown(copies_are_their_owners, reset),
		cmocka_unit_test_teardown(control_octets_are_those_of_ascii, reset),
		cmocka_unit_test_teardown(integers_reach_as_far_as_their_type, reset),
		cmocka_unit_test_teardown(utf8_is_that_of_the_rfc, reset),
		cmocka_unit_test_teardown(length_is_counted_in_characters, reset),
		cmocka_unit_test_teardown(base64url_is_that_of_the_rfc, reset),
		cmocka_unit_test_teardown(base64url_has_one_spelling, reset),
	};
	arena_init(&arena);
	int failures = cmocka_run_group_tests(tests, NULL, NULL);
	arena_finish(&arena);
	return failures;
}
