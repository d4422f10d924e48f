/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "http/origin.h"

static struct arena arena;

static bool listed(const char *origins, const char *origin)
{
	const struct settings settings = { .http_origins = origins };
	const struct request request = { .origin = text_of(origin) };
	return origin_is_allowed(&settings, &request);
}

/* RFC 6454 section 5: scheme, host and port, the port being the scheme's where none is said. */
static void an_origin_is_scheme_host_and_port(void **state)
{
	(void)state;
	static const char list[] =
		"https://app.example.com http://localhost:3000 https://[2001:db8::1]:8443";
	assert_true(listed(list, "https://app.example.com"));
	assert_true(listed(list, "https://app.example.com:443"));
	assert_true(listed(list, "HTTPS://App.Example.COM"));
	assert_true(listed(list, "http://localhost:3000"));
	assert_true(listed(list, "https://[2001:DB8::1]:8443"));
	assert_false(listed(list, "http://app.example.com"));
	assert_false(listed(list, "http://app.example.com:443"));
	assert_false(listed(list, "https://app.example.com:444"));
	assert_false(listed(list, "http://localhost"));
	assert_false(listed(list, "https://[2001:db8::1]"));
}

static void nothing_that_resembles_a_listed_origin_is_allowed(void **state)
{
	(void)state;
	static const char *const others[] = { "null", "", "https://", "app.example.com",
		"https://app.example.com.evil.example", "https://evil.example/app.example.com",
		"https://evilapp.example.com", "https://app.example.com@evil.example",
		"https://evil.example#app.example.com", "https://evil.example?app.example.com",
		"https://app.example.com/", "https://app.example.com:443:443",
		"https://app.example.com:", "https://app.example.com:0",
		"https://app.example.com:65979", "https://app.example.com:-443",
		"https://app.example.com ", " https://app.example.com", "https://app.example.com\n",
		"javascript://app.example.com", "ftp://app.example.com", "https:app.example.com",
		"https://app.example.com https://evil.example" };
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(listed("https://app.example.com", others[i]));
	assert_false(listed("https://app.example.com", NULL));
	assert_false(listed("", "https://app.example.com"));
	assert_false(listed("", ""));
}

static bool is_taken(const char *origins)
{
	const struct settings settings = { .http_origins = origins };
	return origin_check(&settings, &arena) == NULL;
}

static void settings_name_origins_only(void **state)
{
	(void)state;
	static const char *const good[] = { "", " ", "https://a.example",
		"  https://a.example   http://b:8080 ", "https://[::1]:8443", "http://192.0.2.1" };
	static const char *const bad[] = { "a.example", "*", "null", "https://",
		"https://a.example/", "https://a.example/x", "https://a.example?",
		"https://u@a.example", "ftp://a.example", "https://a.example:x",
		"https://a.example:65536", "https://a.example,https://b.example/",
		"https://a.example https://b.example/" };
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(is_taken(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(is_taken(bad[i]));
	const struct settings settings = { .http_origins = "https://a.example https://b.example/" };
	const char *wrong = origin_check(&settings, &arena);
	assert_non_null(strstr(wrong, "http.origins"));
	assert_non_null(strstr(wrong, "https://b.example/"));
}

/* A cookie without Secure goes there only: nothing that is reached over a network may count. */
static void loopback_is_this_machine_and_nothing_else(void **state)
{
	(void)state;
	static const char *const here[] = { "localhost", "LOCALHOST:8080", "cookie.localhost",
		"a.b.localhost:1", "127.0.0.1", "127.255.255.254:8080", "[::1]", "[::1]:8080" };
	static const char *const elsewhere[] = { "", "localhost.example.com", "evillocalhost",
		"localhost.", "127.0.0.1.example.com", "127.evil.example", "128.0.0.1",
		"12.7.0.0.1", "[::2]", "[2001:db8::1]", "::1", "localhost@evil.example",
		"localhost/x", "example.com:127", "localhost:x" };
	for (size_t i = 0; i < sizeof(here) / sizeof(here[0]); i++)
		assert_true(host_is_loopback(text_of(here[i])));
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
		if (host_is_loopback(text_of(elsewhere[i])))
			fail_msg("%s", elsewhere[i]);
	assert_false(host_is_loopback(TEXT_NONE));
}

/* What a browser tells of the page that a request comes from: whether it is another site's. */
static void a_page_of_another_site_is_told_by_the_browser(void **state)
{
	(void)state;
	static const struct {
		const char *fetch_site;
		const char *origin;
		const char *host;
		bool secure;
		bool foreign;
	} rows[] = {
		{ NULL, NULL, "shop.example", true, false }, /* from no browser */
		{ "same-origin", NULL, "shop.example", true, false },
		{ "none", NULL, "shop.example", true, false },
		{ "same-site", NULL, "shop.example", true, true },
		{ "cross-site", NULL, "shop.example", true, true },
		{ "Same-Origin", NULL, "shop.example", true, true }, /* no browser writes it so */
		{ "unknown", NULL, "shop.example", true, true },
		/* it outweighs what Origin and Host say, which proxies change */
		{ "same-origin", "https://shop.example", "inner:8080", false, false },
		{ "cross-site", "https://shop.example", "shop.example", true, true },
		/* without it, of old browsers */
		{ NULL, "https://shop.example", "shop.example", true, false },
		{ NULL, "https://SHOP.example:443", "shop.example", true, false },
		{ NULL, "https://shop.example", "shop.example:8443", true, true },
		{ NULL, "https://shop.example:8443", "shop.example", true, true },
		{ NULL, "http://shop.example", "shop.example", true, true },
		{ NULL, "https://shop.example", "shop.example", false, true },
		{ NULL, "https://evil.example", "shop.example", true, true },
		{ NULL, "https://evil.example", NULL, true, true },
		{ NULL, "null", "shop.example", true, true },
		{ NULL, "null", "null", true, true },
		{ NULL, "", "shop.example", true, true },
		/* that of api.base_url, and those that are listed whatever the browser says */
		{ NULL, "https://accounts.example", "inner:8080", false, false },
		{ NULL, "http://accounts.example", "inner:8080", false, true },
		{ "cross-site", "https://app.example", "shop.example", true, false },
		{ "cross-site", "http://app.example", "shop.example", true, true },
	};
	const struct settings settings = { .http_origins = "https://app.example",
		.api_base_url = "https://accounts.example/api/auth" };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct request request = { .fetch_site = text_of(rows[i].fetch_site),
			.origin = text_of(rows[i].origin),
			.host = text_of(rows[i].host),
			.secure = rows[i].secure };
		if (origin_is_cross_site(&settings, &request) != rows[i].foreign)
			fail_msg("row %zu", i);
	}
}

static struct text headers(
	const char *origins, const char *origin, const char *methods, const char *asked)
{
	const struct settings settings = { .http_origins = origins };
	const struct request request = { .origin = text_of(origin),
		.requested_headers = text_of(asked) };
	struct response response;
	response_init(&response, &arena);
	response.status = 204;
	origin_headers(&settings, &request, methods, &response);
	return response_render(&response);
}

static bool has(struct text answer, const char *words)
{
	return memmem(answer.at, answer.length, words, strlen(words)) != NULL;
}

static void headers_are_for_listed_origins(void **state)
{
	(void)state;
	static const char list[] = "https://app.example.com";
	struct text answer = headers(list, "https://app.example.com", NULL, NULL);
	assert_true(has(answer, "\r\nAccess-Control-Allow-Origin: https://app.example.com\r\n"));
	assert_true(has(answer, "\r\nVary: Origin\r\n"));
	assert_false(has(answer, "Allow-Methods"));
	answer = headers(list, "https://app.example.com", "POST, OPTIONS", NULL);
	assert_true(has(answer, "\r\nAccess-Control-Allow-Methods: POST, OPTIONS\r\n"));
	answer = headers(list, "https://evil.example", "POST, OPTIONS", "X-A");
	assert_true(has(answer, "\r\nVary: Origin")); /* caches must not mix the two */
	assert_false(has(answer, "Access-Control-Allow"));
	assert_false(has(answer, "X-A"));
	answer = headers("", "https://app.example.com", NULL, NULL);
	assert_false(has(answer, "Access-Control"));
}

static void a_preflight_gets_the_names_that_it_asks_for(void **state)
{
	(void)state;
	static const char *const echoed[] = { "x-a", "X-A, x-b", "authorization,content-type" };
	static const char *const refused[] = { "", ",", "x-a,", "x a", "x-a\r\nSet-Cookie: a=b",
		"x-a\t,x-b", "x-\xc3\xa4", "x:y" };
	for (size_t i = 0; i < sizeof(echoed) / sizeof(echoed[0]); i++)
		assert_true(has(headers("https://a.example", "https://a.example", "GET", echoed[i]),
			arena_format(
				&arena, "\r\nAccess-Control-Allow-Headers: %s\r\n", echoed[i])));
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct text answer =
			headers("https://a.example", "https://a.example", "GET", refused[i]);
		assert_false(has(answer, "Set-Cookie"));
		assert_false(
			has(answer, arena_format(&arena, "Allow-Headers: %s\r\n", refused[i])));
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
		cmocka_unit_test_teardown(an_origin_is_scheme_host_and_port, reset),
		cmocka_unit_test_teardown(nothing_that_resembles_a_listed_origin_is_allowed, reset),
		cmocka_unit_test_teardown(settings_name_origins_only, reset),
		cmocka_unit_test_teardown(loopback_is_this_machine_and_nothing_else, reset),
		cmocka_unit_test_teardown(a_page_of_another_site_is_told_by_the_browser, reset),
		cmocka_unit_test_teardown(headers_are_for_listed_origins, reset),
		cmocka_unit_test_teardown(a_preflight_gets_the_names_that_it_asks_for, reset),
	};
	arena_init(&arena);
	int failures = cmocka_run_group_tests(tests, NULL, NULL);
	arena_finish(&arena);
	return failures;
}
