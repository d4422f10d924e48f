/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "passwords/blocklist.h"

#define DEADLINE_S 60 /* a test that hangs has failed */

struct fixture {
	struct arena arena;
	struct blocklist blocklist;
	char path[64];
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	strcpy(fixture->path, "/tmp/test_blocklist.XXXXXX");
	int descriptor = mkstemp(fixture->path);
	*state = fixture;
	return descriptor < 0 ? -1 : close(descriptor);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	blocklist_close(&fixture->blocklist);
	arena_finish(&fixture->arena);
	remove(fixture->path);
	free(fixture);
	return 0;
}

static const char *open_list(struct fixture *fixture, struct text content)
{
	FILE *file = fopen(fixture->path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(content.at, 1, content.length, file), content.length);
	fclose(file);
	blocklist_close(&fixture->blocklist);
	return blocklist_open(&fixture->blocklist, fixture->path, &fixture->arena);
}

static void opens(struct fixture *fixture, struct text content)
{
	const char *wrong = open_list(fixture, content);
	if (wrong)
		fail_msg("%s", wrong);
}

static bool has(const struct fixture *fixture, const char *password)
{
	return blocklist_has(&fixture->blocklist, text_of(password));
}

static void every_line_is_found_and_nothing_else(void **state)
{
	struct fixture *fixture = *state;
	opens(fixture, TEXT("123456\nletmein\npass\npassword\npassword1\nqwerty\n"));
	static const char *const lines[] = { "123456", "letmein", "pass", "password", "password1",
		"qwerty" };
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_true(has(fixture, lines[i]));
	static const char *const others[] = { "", "1", "12345", "1234567", "letmei", "etmein",
		"passw", "password11", "password\npassword1", "password\n", "\npassword", "qwertz",
		"zzz", "\x01", "\xff" };
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (has(fixture, others[i]))
			fail_msg("found: %s", others[i]);
	assert_false(blocklist_has(&fixture->blocklist, TEXT("password\0")));
	assert_false(blocklist_has(&fixture->blocklist, TEXT_NONE));
}

/* Every size around the powers of two, with lines of all lengths. */
static void lists_of_any_size_are_searched(void **state)
{
	struct fixture *fixture = *state;
	for (int count = 1; count <= 70; count++) {
		struct text content = TEXT("");
		for (int i = 0; i < count; i++)
			content = text_format(&fixture->arena, "%.*s%03d%.*s\n",
				TEXT_PRINTF(content), 2 * i, i % 13, "abcdefghijklm");
		opens(fixture, content);
		for (int i = 0; i < count; i++) {
			char line[32];
			snprintf(line, sizeof(line), "%03d%.*s", 2 * i, i % 13, "abcdefghijklm");
			assert_true(has(fixture, line));
			snprintf(
				line, sizeof(line), "%03d%.*s", 2 * i + 1, i % 13, "abcdefghijklm");
			assert_false(has(fixture, line));
			snprintf(line, sizeof(line), "%03d%.*sx", 2 * i, i % 13, "abcdefghijklm");
			assert_false(has(fixture, line));
		}
	}
}

static void letters_count_in_either_case(void **state)
{
	struct fixture *fixture = *state;
	opens(fixture, TEXT("password\npassw\xc3\xb6rd\n"));
	assert_true(has(fixture, "PASSWORD"));
	assert_true(has(fixture, "PassWord"));
	assert_true(has(fixture, "PASSW\xc3\xb6RD"));
	assert_false(has(fixture, "PASSW\xc3\x96RD")); /* only A-Z have two cases here */
}

static void the_last_line_may_lack_its_end(void **state)
{
	struct fixture *fixture = *state;
	opens(fixture, TEXT("password\nqwerty"));
	assert_true(has(fixture, "password"));
	assert_true(has(fixture, "qwerty"));
	assert_false(has(fixture, "qwert"));
	assert_false(has(fixture, "qwerty1"));
	opens(fixture, TEXT("password"));
	assert_true(has(fixture, "password"));
	assert_false(has(fixture, "passwor"));
	assert_false(has(fixture, "passwords"));
}

static void no_list_and_an_empty_one_have_nothing(void **state)
{
	struct fixture *fixture = *state;
	assert_null(blocklist_open(&fixture->blocklist, "", &fixture->arena));
	assert_false(has(fixture, "password"));
	assert_false(has(fixture, ""));
	opens(fixture, TEXT(""));
	assert_false(has(fixture, "password"));
	assert_false(has(fixture, ""));
}

static void octets_order_as_sort_has_them(void **state)
{
	struct fixture *fixture = *state;
	/* LC_ALL=C: '~' (0x7e) before 0x80, 'a' before "a\x01" */
	opens(fixture, TEXT("!\na\na\x01\n~\n\x80\n\xc3\xa4\n\xff\n"));
	assert_true(has(fixture, "!"));
	assert_true(has(fixture, "a\x01"));
	assert_true(has(fixture, "~"));
	assert_true(has(fixture, "\x80"));
	assert_true(has(fixture, "\xff"));
	assert_false(has(fixture, "\xfe"));
}

static void equal_lines_do_no_harm(void **state)
{
	struct fixture *fixture = *state;
	opens(fixture, TEXT("a\na\na\nb\nb\n"));
	assert_true(has(fixture, "a"));
	assert_true(has(fixture, "b"));
	assert_false(has(fixture, "c"));
}

/* What people have: as it was published, as a Windows editor leaves it, in capitals. */
static void lines_in_any_order_and_case_are_found(void **state)
{
	static const char *const lists[] = { "qwerty\npassword\nabc\n\n123456\n",
		"Qwerty\nPASSWORD\nabc\n\n123456", "123456\r\nABC\r\npassword\r\nqwertY\r\n",
		"qwerty\r\nABC\r\n\r\n123456\r\npassWORD",
		"qwerty\nqwerty\nabc\nAbc\n123456\npassword\n", "ABC\n123456\npassword\nqwerty\n" };
	struct fixture *fixture = *state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		opens(fixture, text_of(lists[i]));
		static const char *const lines[] = { "123456", "abc", "password", "qwerty",
			"QWERTY", "PassWord" };
		for (size_t k = 0; k < sizeof(lines) / sizeof(lines[0]); k++)
			if (!has(fixture, lines[k]))
				fail_msg("not found in list %zu: %s", i, lines[k]);
		static const char *const others[] = { "12345", "1234567", "qwerty\r", "\rabc", "ab",
			"abcd", "abc\n123456", "zzz", "\xff" };
		for (size_t k = 0; k < sizeof(others) / sizeof(others[0]); k++)
			if (has(fixture, others[k]))
				fail_msg("found in list %zu: %s", i, others[k]);
	}
}

/* Only what is out of order costs memory. */
static void a_list_in_order_needs_no_index(void **state)
{
	struct fixture *fixture = *state;
	opens(fixture, TEXT("123456\nABC\nabd\nqwerty\n"));
	assert_null(fixture->blocklist.index);
	opens(fixture, TEXT("123456\nabd\nABC\nqwerty\n"));
	assert_non_null(fixture->blocklist.index);
	assert_true(fixture->blocklist.places < 10);
}

static void many_lines_in_no_order_are_found(void **state)
{
	enum { COUNT = 50021 }; /* a prime: every line once, far from in order */
	struct fixture *fixture = *state;
	struct text content = { arena_alloc(&fixture->arena, COUNT * 16), 0 };
	for (long i = 0, n = 0; i < COUNT; i++, n = (n + 30011) % COUNT)
		content.length += (size_t)sprintf(
			(char *)(uintptr_t)content.at + content.length, "Pass%ldword\r\n", n);
	opens(fixture, content);
	for (long n = 0; n < COUNT; n++) {
		char line[32];
		snprintf(line, sizeof(line), "pASS%ldWord", n);
		assert_true(has(fixture, line));
		snprintf(line, sizeof(line), "pass%ldwort", n);
		assert_false(has(fixture, line));
	}
}

static void the_common_ones_are_built_in(void **state)
{
	(void)state;
	static const char *const common[] = { "password", "12345678", "PassWord1", "password123",
		"qwertyuiop", "iloveyou1", "!qaz2wsx", "#1stunna" };
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		if (!blocklist_has(&blocklist_common, text_of(common[i])))
			fail_msg("not found: %s", common[i]);
	assert_false(blocklist_has(&blocklist_common, TEXT("correct horse battery staple")));
	assert_false(blocklist_has(&blocklist_common, TEXT("")));
	assert_null(blocklist_common.index); /* nothing is computed at the start */
	size_t count = 0;
	struct text rest = { blocklist_common.at, blocklist_common.size };
	struct text line;
	for (; rest.length > 0 && text_next(&rest, '\n', &line) && line.length > 0; count++) {
		assert_true(utf8_length(line) >= 8);
		assert_true(blocklist_has(&blocklist_common, line));
	}
	assert_int_equal(count, 8479);
}

static void a_file_that_cannot_be_read_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct arena *arena = &fixture->arena;
	const char *wrong = blocklist_open(&fixture->blocklist, "/no/such/list", arena);
	assert_non_null(wrong);
	assert_non_null(strstr(wrong, "/no/such/list"));
	assert_null(fixture->blocklist.at);
	assert_non_null(blocklist_open(&fixture->blocklist, "/tmp", arena));
	remove(fixture->path);
	assert_int_equal(mkfifo(fixture->path, 0600), 0);
	assert_non_null(blocklist_open(&fixture->blocklist, fixture->path, arena));
}

static void closing_twice_does_no_harm(void **state)
{
	struct fixture *fixture = *state;
	opens(fixture, TEXT("password\n"));
	blocklist_close(&fixture->blocklist);
	blocklist_close(&fixture->blocklist);
	assert_false(has(fixture, "password"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_line_is_found_and_nothing_else),
		TEST(lists_of_any_size_are_searched),
		TEST(letters_count_in_either_case),
		TEST(the_last_line_may_lack_its_end),
		TEST(no_list_and_an_empty_one_have_nothing),
		TEST(octets_order_as_sort_has_them),
		TEST(equal_lines_do_no_harm),
		TEST(lines_in_any_order_and_case_are_found),
		TEST(a_list_in_order_needs_no_index),
		TEST(many_lines_in_no_order_are_found),
		TEST(the_common_ones_are_built_in),
		TEST(a_file_that_cannot_be_read_is_refused),
		TEST(closing_twice_does_no_harm),
	};
	alarm(DEADLINE_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
