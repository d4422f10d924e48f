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

/* The reason names the file and says this; nothing is left open. */
static void refuses(struct fixture *fixture, struct text content, const char *words)
{
	const char *wrong = open_list(fixture, content);
	assert_non_null(wrong);
	if (!strstr(wrong, words) || !strstr(wrong, fixture->path))
		fail_msg("not about %s: %s", words, wrong);
	assert_null(fixture->blocklist.at);
	assert_false(blocklist_has(&fixture->blocklist, TEXT("password")));
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

static void the_first_line_out_of_order_is_named(void **state)
{
	struct fixture *fixture = *state;
	refuses(fixture, TEXT("b\na\n"), "line 2 ");
	refuses(fixture, TEXT("a\nc\nb\na\n"), "line 3 ");
	refuses(fixture, TEXT("a\nc\nb"), "line 3 ");
	refuses(fixture, TEXT("aa\na\n"), "line 2 ");
	refuses(fixture, TEXT("\x80\n~\n"), "line 2 ");
	refuses(fixture, TEXT("a\nb\n\n"), "line 3 ");
	refuses(fixture, TEXT("b\na\n"), "LC_ALL=C sort -u");
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
		TEST(the_first_line_out_of_order_is_named),
		TEST(a_file_that_cannot_be_read_is_refused),
		TEST(closing_twice_does_no_harm),
	};
	alarm(DEADLINE_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
