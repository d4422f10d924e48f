/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "api/decode.h"
#include "api/router.h"

static struct arena arena;
static const struct settings settings = { .passwords_min_length = 8, .passwords_weak = WEAK_ALLOW };
static const struct blocklist blocklist;
static const struct context context = {
	.settings = &settings, .blocklist = &blocklist, .arena = &arena
};
static struct input input;
static struct invalid_members invalid;

static enum outcome decode_as(const char *path, const char *media_type, const char *body)
{
	struct match match = route_find(dialect_find(TEXT("bearer")), METHOD_POST, text_of(path));
	struct request request = {
		.method = METHOD_POST,
		.content_type = text_of(media_type),
		.body = text_of(body),
		.body_state = body ? BODY_COMPLETE : BODY_NONE,
	};
	memset(&input, 0, sizeof(input));
	memset(&invalid, 0, sizeof(invalid));
	assert_non_null(match.route);
	return decode(&context, &request, match.route, match.token, &input, &invalid);
}

static enum outcome decode_json(const char *path, const char *body)
{
	return decode_as(path, "application/json", body);
}

static void members_arrive_where_operations_look(void **state)
{
	(void)state;
	assert_int_equal(decode_json("/register",
				 "{\"email\":\"a@example.com\",\"password\":\"password123\","
				 "\"full_name\":\"John Doe\",\"unknown\":[1,{\"x\":null}]}"),
		OUTCOME_OK);
	assert_true(text_equal(input.email, TEXT("a@example.com")));
	assert_true(text_equal(input.password, TEXT("password123")));
	assert_true(text_equal(input.full_name, TEXT("John Doe")));
	assert_false(text_is_given(input.username));
}

static void either_word_logs_in_and_the_documented_one_wins(void **state)
{
	(void)state;
	assert_int_equal(decode_json("/login", "{\"email\":\"b@example.com\",\"password\":\"x\"}"),
		OUTCOME_OK);
	assert_true(text_equal(input.login_name, TEXT("b@example.com")));
	assert_int_equal(
		decode_json("/login",
			"{\"email\":\"b@example.com\",\"username\":\"a\",\"password\":\"x\"}"),
		OUTCOME_OK);
	assert_true(text_equal(input.login_name, TEXT("a")));
}

static void the_token_of_the_path_is_input(void **state)
{
	(void)state;
	assert_int_equal(
		decode_json("/password-reset/abc",
			"{\"new_password\":\"password123\",\"confirm_password\":\"password123\"}"),
		OUTCOME_OK);
	assert_true(text_equal(input.one_time_token, TEXT("abc")));
}

static void all_that_is_wrong_is_named(void **state)
{
	(void)state;
	assert_int_equal(decode_json("/register",
				 "{\"email\":\"nobody\",\"password\":7,\"full_name\":\"\"}"),
		OUTCOME_INVALID_INPUT);
	assert_int_equal(invalid.count, 3);
	assert_string_equal(invalid.members[0].key, "email");
	assert_string_equal(invalid.members[1].key, "password");
	assert_string_equal(invalid.members[1].reason, "This must be a string.");
	assert_string_equal(invalid.members[2].reason, "This field may not be blank.");
}

static void required_members_must_be_there(void **state)
{
	(void)state;
	assert_int_equal(decode_json("/register", "{}"), OUTCOME_INVALID_INPUT);
	assert_int_equal(invalid.count, 3);
	assert_int_equal(decode_json("/login", "{\"password\":\"x\"}"), OUTCOME_INVALID_INPUT);
	assert_string_equal(invalid.members[0].key, "username");
}

static void an_optional_member_may_be_blank_but_not_of_another_type(void **state)
{
	(void)state;
	assert_int_equal(
		decode_json("/register", "{\"email\":\"a@example.com\",\"password\":"
					 "\"password123\",\"full_name\":\"J\",\"username\":\"\"}"),
		OUTCOME_OK);
	assert_false(text_is_given(input.username));
	assert_int_equal(
		decode_json("/register", "{\"email\":\"a@example.com\",\"password\":"
					 "\"password123\",\"full_name\":\"J\",\"username\":null}"),
		OUTCOME_INVALID_INPUT);
}

static void nul_in_a_string_is_a_wrong_value(void **state)
{
	(void)state;
	assert_int_equal(decode_json("/login", "{\"username\":\"a\\u0000b\",\"password\":\"x\"}"),
		OUTCOME_INVALID_INPUT);
	assert_string_equal(invalid.members[0].key, "username");
}

static void what_is_no_object_is_malformed(void **state)
{
	(void)state;
	assert_int_equal(decode_json("/login", "[]"), OUTCOME_MALFORMED_JSON);
	assert_non_null(invalid.malformed);
	assert_int_equal(decode_json("/login", ""), OUTCOME_MALFORMED_JSON);
	assert_int_equal(decode_json("/login", NULL), OUTCOME_MALFORMED_JSON);
}

static void a_body_must_say_that_it_is_json(void **state)
{
	(void)state;
	const char *body = "{\"username\":\"a\",\"password\":\"x\"}";
	assert_int_equal(decode_as("/login", "text/plain", body), OUTCOME_UNSUPPORTED_MEDIA_TYPE);
	assert_int_equal(decode_as("/login", NULL, body), OUTCOME_UNSUPPORTED_MEDIA_TYPE);
	assert_int_equal(
		decode_as("/login", "application/jsonp", body), OUTCOME_UNSUPPORTED_MEDIA_TYPE);
	assert_int_equal(decode_as("/login", "Application/JSON; charset=utf-8", body), OUTCOME_OK);
}

static void no_body_is_needed_where_nothing_is_required(void **state)
{
	(void)state;
	assert_int_equal(decode_as("/logout", NULL, NULL), OUTCOME_OK);
	assert_int_equal(decode_json("/logout", "{}"), OUTCOME_OK);
	assert_int_equal(decode_json("/logout", "nonsense"), OUTCOME_MALFORMED_JSON);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_arrive_where_operations_look),
		cmocka_unit_test(either_word_logs_in_and_the_documented_one_wins),
		cmocka_unit_test(the_token_of_the_path_is_input),
		cmocka_unit_test(all_that_is_wrong_is_named),
		cmocka_unit_test(required_members_must_be_there),
		cmocka_unit_test(an_optional_member_may_be_blank_but_not_of_another_type),
		cmocka_unit_test(nul_in_a_string_is_a_wrong_value),
		cmocka_unit_test(what_is_no_object_is_malformed),
		cmocka_unit_test(a_body_must_say_that_it_is_json),
		cmocka_unit_test(no_body_is_needed_where_nothing_is_required),
	};
	arena_init(&arena);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_finish(&arena);
	return failed;
}
