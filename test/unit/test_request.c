/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "http/request.h"

static struct arena arena;

static struct request read_them(const char *trusted, const char *const *environment)
{
	struct request request;
	char *entries[16] = { NULL };
	for (size_t i = 0; environment[i]; i++)
		entries[i] = text_string(&arena, text_of(environment[i]));
	request_read(&request, &arena, entries, trusted);
	return request;
}

/* The parameters that are given, "NAME=value" each. */
#define READ(...) read_them("", (const char *const[]){ __VA_ARGS__, NULL })

static void assert_text(struct text text, const char *expected)
{
	if (!text_equal(text, text_of(expected)))
		fail_msg("%.*s, not %s", TEXT_PRINTF(text), expected);
}

static void parameters_become_members(void **state)
{
	(void)state;
	struct request request = READ("REQUEST_METHOD=POST", "PATH_INFO=/login",
		"SCRIPT_NAME=/api/auth", "LATCHKEY_DIALECT=cookie", "CONTENT_LENGTH=7",
		"CONTENT_TYPE=application/json", "HTTP_COOKIE=a=b; c=d=e", "HTTP_ACCEPT=a",
		"HTTP_ACCEPT=b", "REMOTE_ADDR=192.0.2.7", "HTTPS=on", "HTTP_ORIGIN=", "NONSENSE");
	assert_null(request.unreadable);
	assert_int_equal(request.method, METHOD_POST);
	assert_text(request.path, "/login");
	assert_text(request.mount, "/api/auth");
	assert_text(request.dialect, "cookie");
	assert_int_equal(request.announced_length, 7);
	assert_text(request_cookie(&request, "c"), "d=e");
	assert_text(request.client, "192.0.2.7");
	assert_true(request.secure);
	assert_false(text_is_given(request.origin));
}

static void what_comes_twice_is_refused(void **state)
{
	(void)state;
	static const char *const names[] = { "REQUEST_METHOD", "PATH_INFO", "SCRIPT_NAME",
		"LATCHKEY_DIALECT", "CONTENT_LENGTH", "CONTENT_TYPE", "HTTP_AUTHORIZATION",
		"HTTP_COOKIE", "HTTP_ORIGIN", "HTTP_HOST", "HTTP_SEC_FETCH_SITE", "REMOTE_ADDR",
		"HTTPS", "REQUEST_SCHEME" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *first = arena_format(&arena, "%s=1", names[i]);
		struct request request = READ(first, "PATH=/x", first);
		if (!request.unreadable || !strstr(request.unreadable, names[i]))
			fail_msg("%s twice: %s", names[i], request.unreadable);
		assert_null(READ(first).unreadable);
	}
}

/* The dialect is known even where something else makes the request unreadable. */
static void what_could_be_read_is_told(void **state)
{
	(void)state;
	struct request request = READ("HTTP_COOKIE=a", "HTTP_COOKIE=b", "LATCHKEY_DIALECT=nested",
		"REQUEST_METHOD=HEAD", "HTTP_ORIGIN=http://a.example");
	assert_non_null(request.unreadable);
	assert_text(request.dialect, "nested");
	assert_int_equal(request.method, METHOD_HEAD);
	assert_text(request.origin, "http://a.example");
}

static void bad_paths_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = { "PATH_INFO=/a\nb", "PATH_INFO=/\x7f", "PATH_INFO=/\xff",
		"PATH_INFO=/\xc0\x80", "PATH_INFO=/\xed\xa0\x80", "SCRIPT_NAME=/a\rb" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(READ(bad[i]).unreadable);
	assert_null(READ("PATH_INFO=/\xc3\xa4").unreadable);
}

static void long_values_are_refused(void **state)
{
	(void)state;
	char *value = arena_alloc(&arena, REQUEST_VALUE_MAXIMUM + 2);
	memset(value, 'x', REQUEST_VALUE_MAXIMUM);
	assert_null(READ(arena_format(&arena, "HTTP_COOKIE=%s", value)).unreadable);
	const char *lines[] = { arena_format(&arena, "HTTP_X_FORWARDED_FOR=%s", value + 4),
		"HTTP_X_FORWARDED_FOR=xx" };
	assert_null(READ(lines[0], lines[1]).unreadable);
	assert_string_equal(
		READ(lines[0], lines[1], lines[1]).unreadable, "HTTP_X_FORWARDED_FOR is too long");
	value[REQUEST_VALUE_MAXIMUM] = 'x';
	assert_string_equal(READ(arena_format(&arena, "HTTP_COOKIE=%s", value)).unreadable,
		"HTTP_COOKIE is too long");
	assert_null(READ(arena_format(&arena, "HTTP_REFERER=%s", value)).unreadable);
}

static void lengths(void **state)
{
	(void)state;
	assert_int_equal(READ("HTTPS=").announced_length, -1);
	assert_int_equal(READ("CONTENT_LENGTH=").announced_length, -1);
	assert_int_equal(READ("CONTENT_LENGTH=-1").announced_length, -1);
	assert_null(READ("CONTENT_LENGTH=-1").unreadable);
	assert_int_equal(READ("CONTENT_LENGTH=0").announced_length, 0);
	static const char *const bad[] = { "CONTENT_LENGTH=x", "CONTENT_LENGTH=-2",
		"CONTENT_LENGTH=+1", "CONTENT_LENGTH=1 ", "CONTENT_LENGTH=99999999999999999999" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(READ(bad[i]).unreadable);
}

static void bearer_tokens_are_told_from_tries(void **state)
{
	(void)state;
	static const struct {
		const char *value;
		const char *token;
		bool tries;
	} rows[] = {
		{ "Bearer a.b-c_~+/=", "a.b-c_~+/=", true },
		{ "bearer  a ", "a", true },
		{ "Bearer", NULL, true },
		{ "Bearer ", NULL, true },
		{ "Bearer a b", NULL, true },
		{ "a.b.c", NULL, true },
		{ "Basic YTpi", NULL, false },
		{ "Digest username=a, realm=b", NULL, false },
		{ "", NULL, false },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct request request =
			READ(arena_format(&arena, "HTTP_AUTHORIZATION=%s", rows[i].value));
		assert_null(request.unreadable);
		assert_text(request.bearer, rows[i].token);
		assert_int_equal(request.tries_bearer, rows[i].tries);
	}
	assert_non_null(READ("HTTP_AUTHORIZATION=Bearer a, Bearer b").unreadable);
	assert_non_null(READ("HTTP_AUTHORIZATION=Basic a, Bearer b").unreadable);
}

/* RFC 9110 section 5.3: several lines of a list are one, in their order. */
static void lines_of_forwarded_headers_are_one_list(void **state)
{
	(void)state;
	static const char *const spoofed[] = { "REMOTE_ADDR=10.0.0.1",
		"HTTP_X_FORWARDED_FOR=198.51.100.1", "HTTP_X_FORWARDED_FOR=203.0.113.9, 10.0.0.2",
		NULL };
	assert_text(read_them("10.0.0.0/8", spoofed).client, "203.0.113.9");
	assert_text(read_them("", spoofed).client, "10.0.0.1");
	static const char *const lines[] = { "REMOTE_ADDR=10.0.0.1", "HTTP_X_FORWARDED_FOR=a",
		"HTTP_X_FORWARDED_FOR=203.0.113.9",
		"HTTP_X_FORWARDED_FOR=", "HTTP_X_FORWARDED_FOR=10.0.0.3",
		"HTTP_X_FORWARDED_FOR=10.0.0.2", NULL };
	assert_text(read_them("10.0.0.0/8", lines).client, "203.0.113.9");
}

static void the_nearest_proxy_says_the_scheme(void **state)
{
	(void)state;
	static const struct {
		const char *const entries[4];
		const char *trusted;
		bool secure;
	} rows[] = {
		{ { "REMOTE_ADDR=10.0.0.1", "HTTP_X_FORWARDED_PROTO=https" }, "10.0.0.1", true },
		{ { "REMOTE_ADDR=10.0.0.1", "HTTP_X_FORWARDED_PROTO=https" }, "", false },
		{ { "REMOTE_ADDR=10.0.0.1", "HTTP_X_FORWARDED_PROTO=https",
			  "HTTP_X_FORWARDED_PROTO=http" },
			"10.0.0.1", false },
		{ { "REMOTE_ADDR=10.0.0.1", "HTTP_X_FORWARDED_PROTO=http, https" }, "10.0.0.1",
			true },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_true(read_them(rows[i].trusted, rows[i].entries).secure == rows[i].secure);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_become_members),
		cmocka_unit_test(what_comes_twice_is_refused),
		cmocka_unit_test(what_could_be_read_is_told),
		cmocka_unit_test(bad_paths_are_refused),
		cmocka_unit_test(long_values_are_refused),
		cmocka_unit_test(lengths),
		cmocka_unit_test(bearer_tokens_are_told_from_tries),
		cmocka_unit_test(lines_of_forwarded_headers_are_one_list),
		cmocka_unit_test(the_nearest_proxy_says_the_scheme),
	};
	arena_init(&arena);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_finish(&arena);
	return failed;
}
