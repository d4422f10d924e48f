/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "api/router.h"

static const struct dialect *bearer(void)
{
	return dialect_find(TEXT("bearer"));
}

static struct match find(enum method method, const char *path)
{
	return route_find(bearer(), method, text_of(path));
}

static void check_path(enum method method, const char *path, const char *pattern)
{
	struct match match = find(method, path);
	assert_non_null(match.route);
	assert_string_equal(match.route->path, pattern);
}

static void a_slash_at_the_end_is_no_difference(void **state)
{
	(void)state;
	check_path(METHOD_POST, "/register", "/register");
	check_path(METHOD_POST, "/register/", "/register");
	check_path(METHOD_GET, "/verify/abc/", "/verify/{token}");
}

static void what_is_not_there_is_not_known(void **state)
{
	(void)state;
	static const char *const paths[] = { "", "/", "//", "/nothing", "/register/x", "/Register",
		"//register", "/register//", "/verify", "/verify/", "/verify/a/b", "register",
		"/me/me", "/password-reset/a/b", "/.well-known", "/..%2fme" };
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (find(METHOD_POST, paths[i]).known || find(METHOD_GET, paths[i]).known)
			fail_msg("known: %s", paths[i]);
}

static void the_token_is_the_segment(void **state)
{
	(void)state;
	struct match match = find(METHOD_POST, "/password-reset/AbC-_9");
	assert_true(text_equal(match.token, TEXT("AbC-_9")));
	assert_false(text_is_given(find(METHOD_POST, "/password-reset").token));
}

static void a_spelled_out_path_goes_before_a_token(void **state)
{
	(void)state;
	check_path(METHOD_POST, "/verify/resend", "/verify/resend");
	struct match match = find(METHOD_GET, "/verify/resend");
	assert_true(match.known);
	assert_null(match.route);
	assert_string_equal(match.allow, "POST, OPTIONS");
}

static void another_method_is_told_which_are_allowed(void **state)
{
	(void)state;
	struct match match = find(METHOD_GET, "/login");
	assert_true(match.known);
	assert_null(match.route);
	assert_string_equal(match.allow, "POST, OPTIONS");
	assert_string_equal(find(METHOD_OTHER, "/me").allow, "GET, HEAD, OPTIONS");
}

static void head_is_served_where_get_is(void **state)
{
	(void)state;
	check_path(METHOD_HEAD, "/me", "/me");
	assert_null(find(METHOD_HEAD, "/login").route);
}

static void every_dialect_has_the_common_routes_and_complete_rows(void **state)
{
	(void)state;
	static const char *const gets[] = { "/me", "/verify/x", "/.well-known/jwks.json",
		"/health" };
	static const char *const posts[] = { "/logout", "/verify/resend", "/change-password" };
	for (size_t d = 0; d < dialect_count; d++) {
		for (size_t i = 0; i < sizeof(gets) / sizeof(gets[0]); i++)
			assert_non_null(
				route_find(dialects[d], METHOD_GET, text_of(gets[i])).route);
		for (size_t i = 0; i < sizeof(posts) / sizeof(posts[0]); i++)
			assert_non_null(
				route_find(dialects[d], METHOD_POST, text_of(posts[i])).route);
		for (const struct route *route = dialects[d]->routes; route->path; route++) {
			assert_non_null(route->operation);
			assert_non_null(route->summary);
			assert_in_range(route->status, 200, 204);
			assert_true((route->status == 204) == !route->reply);
		}
	}
}

/* RFC 9110 section 9.3.2: HEAD is GET without the body, and safe. */
static void head_changes_nothing(void **state)
{
	(void)state;
	static operation *const reading[] = { NULL, operation_find_self, operation_jwks,
		operation_health, operation_algorithms };
	for (size_t d = 0; d < dialect_count; d++) {
		const struct route *lists[] = { dialects[d]->routes, common_routes };
		for (size_t l = 0; l < 2; l++)
			for (const struct route *route = lists[l]; route->path; route++) {
				bool reads = route->head != NULL || route->method != METHOD_GET;
				for (size_t i = 0; i < sizeof(reading) / sizeof(reading[0]); i++)
					reads |= route->operation == reading[i];
				if (!reads)
					fail_msg("HEAD %s has an effect", route->path);
			}
	}
}

/* Whoever registers an address that is taken gets no session and no account to be shown. */
static void registration_hides_only_where_the_answer_can(void **state)
{
	(void)state;
	assert_int_equal(ENUMERATION_HIDE, 0);
	for (size_t d = 0; d < dialect_count; d++)
		for (const struct route *route = dialects[d]->routes; route->path; route++) {
			if (route->operation != operation_register)
				continue;
			bool message_only = route->reply[0].kind == REPLY_MESSAGE &&
					    route->reply[1].kind == REPLY_STOP;
			assert_true(message_only || route->enumeration == ENUMERATION_REVEAL);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slash_at_the_end_is_no_difference),
		cmocka_unit_test(what_is_not_there_is_not_known),
		cmocka_unit_test(the_token_is_the_segment),
		cmocka_unit_test(a_spelled_out_path_goes_before_a_token),
		cmocka_unit_test(another_method_is_told_which_are_allowed),
		cmocka_unit_test(head_is_served_where_get_is),
		cmocka_unit_test(head_changes_nothing),
		cmocka_unit_test(registration_hides_only_where_the_answer_can),
		cmocka_unit_test(every_dialect_has_the_common_routes_and_complete_rows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
