/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http/response.h"

static struct arena arena;

static void renders(const struct response *response, const char *expected)
{
	struct text rendered = response_render(response);
	assert_int_equal(rendered.length, strlen(expected));
	assert_memory_equal(rendered.at, expected, rendered.length);
}

#define ALWAYS "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"

static void an_answer_that_nobody_made_is_an_error(void **state)
{
	(void)state;
	struct response response;
	response_init(&response, &arena);
	renders(&response, "Status: 500 Internal Server Error\r\n" ALWAYS "\r\n");
}

static void a_body_brings_its_headers(void **state)
{
	(void)state;
	struct response response;
	response_init(&response, &arena);
	response.status = 201;
	response.body = TEXT("{\"name\":\"Zo\xc3\xab\"}");
	response_header(&response, "Retry-After", "%d", 7);
	response_header(&response, "Allow", "GET, %s", "HEAD");
	static const char headers[] =
		"Status: 201 Created\r\n" ALWAYS "Content-Type: application/json\r\n"
		"Content-Length: 15\r\n"
		"Retry-After: 7\r\n"
		"Allow: GET, HEAD\r\n"
		"\r\n";
	renders(&response, arena_format(&arena, "%s{\"name\":\"Zo\xc3\xab\"}", headers));
	response.without_body = true;
	renders(&response, headers);
}

static void an_empty_body_is_a_body(void **state)
{
	(void)state;
	struct response response;
	response_init(&response, &arena);
	response.status = 200;
	response.body = TEXT("");
	assert_non_null(memmem(response_render(&response).at, response_render(&response).length,
		"Content-Length: 0\r\n", 19));
}

static void each_status_that_is_sent_has_its_phrase(void **state)
{
	(void)state;
	static const struct {
		int status;
		const char *line;
	} rows[] = { { 200, "200 OK" }, { 204, "204 No Content" }, { 400, "400 Bad Request" },
		{ 401, "401 Unauthorized" }, { 403, "403 Forbidden" }, { 404, "404 Not Found" },
		{ 405, "405 Method Not Allowed" }, { 409, "409 Conflict" },
		{ 413, "413 Content Too Large" }, { 415, "415 Unsupported Media Type" },
		{ 429, "429 Too Many Requests" }, { 503, "503 Service Unavailable" },
		{ 599, "599 Unknown" } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct response response;
		response_init(&response, &arena);
		response.status = rows[i].status;
		renders(&response,
			arena_format(&arena, "Status: %s\r\n" ALWAYS "\r\n", rows[i].line));
	}
}

/* What a child does with a response is the end of it. */
static bool ends_the_process(void (*spoil)(struct response *response))
{
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct response response;
		signal(SIGABRT, SIG_DFL); /* cmocka has a handler of its own */
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
		response_init(&response, &arena);
		spoil(&response);
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void add_a_line(struct response *response)
{
	response_header(response, "Set-Cookie", "a=%s", "b\r\nSet-Cookie: c=d");
}

static void add_a_line_feed(struct response *response)
{
	response_header(response, "Set-Cookie", "a=%s", "b\nc");
}

static void add_sixteen(struct response *response)
{
	for (int i = 0; i < 16; i++)
		response_header(response, "X", "%d", i);
}

static void add_seventeen(struct response *response)
{
	add_sixteen(response);
	response_header(response, "X", "one more");
}

/* It is a bug of the caller, and the check for it must be there in every build. */
static void nothing_is_sent_that_would_split_an_answer(void **state)
{
	(void)state;
	assert_true(ends_the_process(add_a_line));
	assert_true(ends_the_process(add_a_line_feed));
	assert_false(ends_the_process(add_sixteen));
	assert_true(ends_the_process(add_seventeen));
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
		cmocka_unit_test_teardown(an_answer_that_nobody_made_is_an_error, reset),
		cmocka_unit_test_teardown(a_body_brings_its_headers, reset),
		cmocka_unit_test_teardown(an_empty_body_is_a_body, reset),
		cmocka_unit_test_teardown(each_status_that_is_sent_has_its_phrase, reset),
		cmocka_unit_test_teardown(nothing_is_sent_that_would_split_an_answer, reset),
	};
	arena_init(&arena);
	int failures = cmocka_run_group_tests(tests, NULL, NULL);
	arena_finish(&arena);
	return failures;
}
