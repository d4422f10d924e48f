/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "api/encode.h"

static struct arena arena;

static void assert_error(const char *dialect, enum outcome outcome,
	const struct invalid_members *invalid, const char *expected)
{
	const struct output output = { 0 };
	const struct request request = { 0 };
	struct response response;
	response_init(&response, &arena);
	encode_error(dialect_find(text_of(dialect)), NULL, outcome, &output, invalid, &request,
		&response);
	if (!text_equal(response.body, text_of(expected)))
		fail_msg("%.*s, not %s", TEXT_PRINTF(response.body), expected);
}

static void invalid_fields_stand_where_the_dialect_has_them(void **state)
{
	(void)state;
	struct invalid_members invalid = { 0 };
	invalid_add(&invalid, "email", "a");
	invalid_add(&invalid, "password", "b");
	assert_error("bearer", OUTCOME_INVALID_INPUT, &invalid,
		"{\"detail\":\"The input is not valid\",\"code\":\"invalid_input\","
		"\"errors\":{\"email\":[\"a\"],\"password\":[\"b\"]}}");
	assert_error("token", OUTCOME_INVALID_INPUT, &invalid,
		"{\"detail\":\"The input is not valid\",\"code\":\"invalid_input\","
		"\"email\":[\"a\"],\"password\":[\"b\"]}");
	assert_error("token", OUTCOME_EMAIL_TAKEN, &invalid,
		"{\"detail\":\"Email already registered\",\"code\":\"email_taken\","
		"\"email\":[\"a\"],\"password\":[\"b\"]}");
}

/* A client must find the stable code under "code", whatever fields a dialect has. */
static void a_field_never_takes_the_place_of_the_code(void **state)
{
	(void)state;
	struct invalid_members invalid = { 0 };
	invalid_add(&invalid, "code", "a");
	invalid_add(&invalid, "email", "b");
	invalid_add(&invalid, "detail", "c");
	invalid_add(&invalid, "errors", "d");
	assert_error("token", OUTCOME_INVALID_INPUT, &invalid,
		"{\"detail\":\"The input is not valid\",\"code\":\"invalid_input\",\"email\":["
		"\"b\"],"
		"\"errors\":{\"code\":[\"a\"],\"detail\":[\"c\"],\"errors\":[\"d\"]}}");
	assert_error("content", OUTCOME_INVALID_INPUT, &invalid,
		"{\"error\":\"The input is not valid\",\"code\":\"invalid_input\",\"errors\":"
		"{\"code\":[\"a\"],\"email\":[\"b\"],\"detail\":[\"c\"],\"errors\":[\"d\"]}}");
}

static void fields_are_told_of_invalid_input_only(void **state)
{
	(void)state;
	struct invalid_members invalid = { 0 };
	assert_error("bearer", OUTCOME_INVALID_INPUT, &invalid,
		"{\"detail\":\"The input is not valid\",\"code\":\"invalid_input\",\"errors\":{}}");
	invalid_add(&invalid, "email", "a");
	assert_error("nested", OUTCOME_EMAIL_TAKEN, &invalid,
		"{\"message\":\"Email already registered\",\"code\":\"email_taken\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(invalid_fields_stand_where_the_dialect_has_them),
		cmocka_unit_test(a_field_never_takes_the_place_of_the_code),
		cmocka_unit_test(fields_are_told_of_invalid_input_only),
	};
	arena_init(&arena);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_finish(&arena);
	return failed;
}
