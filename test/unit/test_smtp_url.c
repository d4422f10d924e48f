/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "mail/smtp_url.h"

static int set_up(void **state)
{
	static struct arena arena;
	arena_init(&arena);
	*state = &arena;
	return 0;
}

static int tear_down(void **state)
{
	arena_finish(*state);
	return 0;
}

static struct smtp_url parse(struct arena *arena, const char *url)
{
	struct smtp_url parsed;
	const char *wrong = smtp_url_parse(arena, url, &parsed);
	if (wrong)
		fail_msg("%s: %s", url, wrong);
	return parsed;
}

static void assert_refused(struct arena *arena, const char *url, const char *reason)
{
	struct smtp_url parsed;
	const char *wrong = smtp_url_parse(arena, url, &parsed);
	if (!wrong || !strstr(wrong, reason))
		fail_msg("%s: %s", url, wrong ? wrong : "taken");
}

static void the_port_depends_on_credentials(void **state)
{
	assert_string_equal(parse(*state, "smtp://mail.example.com").port, "25");
	assert_string_equal(parse(*state, "smtp://u:p@mail.example.com").port, "587");
	assert_string_equal(parse(*state, "smtp://u:p@mail.example.com:2525/").port, "2525");
	assert_string_equal(parse(*state, "smtp://192.0.2.1:26").host, "192.0.2.1");
	assert_null(parse(*state, "smtp://mail.example.com").user);
}

static void credentials_are_percent_encoded(void **state)
{
	struct smtp_url url = parse(*state, "smtp://us%40er:p%3Ass%2f@mail.example.com");
	assert_string_equal(url.user, "us@er");
	assert_string_equal(url.password, "p:ss/");
	assert_string_equal(url.host, "mail.example.com");
	assert_string_equal(parse(*state, "smtp://me@h").password, "");
	assert_refused(*state, "smtp://u:%0a@h", "percent-encoded");
	assert_refused(*state, "smtp://u:%4@h", "percent-encoded");
	assert_refused(*state, "smtp://u:%zz@h", "percent-encoded");
	assert_refused(*state, "smtp://:p@h", "percent-encoded");
}

/* libesmtp copies them into a buffer of a fixed size */
static void credentials_have_255_octets_at_most(void **state)
{
	char password[257] = "";
	memset(password, 'p', 255);
	parse(*state, arena_format(*state, "smtp://u:%s@h", password));
	password[255] = 'p';
	assert_refused(*state, arena_format(*state, "smtp://u:%s@h", password), "255");
}

static void tls_from_the_start_is_explained(void **state)
{
	assert_refused(*state, "smtp://mail.example.com:465", "587");
	assert_refused(*state, "smtps://mail.example.com", "587");
}

/* libesmtp would connect to the host "" */
static void an_ipv6_address_is_explained(void **state)
{
	assert_refused(*state, "smtp://[::1]:25", "IPv6");
	assert_refused(*state, "smtp://[::1", "IPv6");
	assert_refused(*state, "smtp://::1", "port");
}

static void what_is_no_url_is_refused(void **state)
{
	assert_refused(*state, "", "smtp://");
	assert_refused(*state, "http://mail.example.com", "smtp://");
	assert_refused(*state, "smtp://", "host");
	assert_refused(*state, "smtp://a b", "host");
	assert_refused(*state, "smtp://host/path", "host");
	assert_refused(*state, "smtp://h:0", "port");
	assert_refused(*state, "smtp://h:99999", "port");
	assert_refused(*state, "smtp://h:", "port");
}

static void a_password_is_masked_wherever_it_ends(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "smtp://mail.example.com", "smtp://mail.example.com" },
		{ "smtp://me@mail.example.com:25", "smtp://me@mail.example.com:25" },
		{ "smtp://me:hunter2@mail.example.com", "smtp://me:***@mail.example.com" },
		{ "smtp://me:hun@ter2@mail.example.com:587/",
			"smtp://me:***@mail.example.com:587/" },
		{ "smtp://m%3ae:hun:ter2@h", "smtp://m%3ae:***@h" },
		{ "smtp://me:hunter2@h:465", "***" },
		{ "me:hunter2@h", "***" },
		{ "smtp://me:hunter%2@h", "***" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(smtp_url_masked(*state, rows[i][0]), rows[i][1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_port_depends_on_credentials),
		TEST(credentials_are_percent_encoded),
		TEST(credentials_have_255_octets_at_most),
		TEST(tls_from_the_start_is_explained),
		TEST(an_ipv6_address_is_explained),
		TEST(what_is_no_url_is_refused),
		TEST(a_password_is_masked_wherever_it_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
