/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mail/letter.h"
#include "mail/letters.h"

struct fixture {
	struct arena arena;
	struct settings settings;
	struct letter letter;
	char folder[64]; /* for mail.templates, of which it is no part until a test says so */
};

static int set_up(void **state)
{
	static struct fixture fixture;
	static char *const nothing[] = { NULL };
	const char *const overrides[] = { "api.base_url=https://www.example.com/api/auth",
		"mail.from=Example <no-reply@example.com>", "mail.site=Example",
		"links.reset={base_url}/password-reset/{token}" };
	memset(&fixture, 0, sizeof(fixture));
	arena_init(&fixture.arena);
	const char *wrong =
		settings_load(&fixture.arena, NULL, overrides, 4, nothing, &fixture.settings);
	assert_null(wrong);
	fixture.letter = (struct letter){ .template = TEXT("verify"),
		.id = uuid_random(),
		.written_at = 1767323045,
		.recipient = TEXT("jane@example.org"),
		.full_name = TEXT("Jane Doe"),
		.token = TEXT("the-token_42") };
	strcpy(fixture.folder, "/tmp/test_letter_XXXXXX");
	assert_non_null(mkdtemp(fixture.folder));
	*state = &fixture;
	return 0;
}

static const char *path_of(struct fixture *fixture, const char *name)
{
	return arena_format(&fixture->arena, "%s/%s", fixture->folder, name);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	for (size_t i = 0; i < letter_template_count; i++) {
		unlink(path_of(fixture,
			arena_format(&fixture->arena, "%s.txt", letter_templates[i].name)));
		unlink(path_of(fixture,
			arena_format(&fixture->arena, "%s.html", letter_templates[i].name)));
	}
	rmdir(fixture->folder);
	arena_finish(&fixture->arena);
	return 0;
}

static void put_octets(struct fixture *fixture, const char *name, struct text octets)
{
	FILE *file = fopen(path_of(fixture, name), "we");
	assert_non_null(file);
	assert_int_equal(fwrite(octets.at, 1, octets.length, file), octets.length);
	fclose(file);
	fixture->settings.mail_templates = fixture->folder;
}

static void put(struct fixture *fixture, const char *name, const char *content)
{
	put_octets(fixture, name, text_of(content));
}

static const char *render(struct fixture *fixture)
{
	struct message message;
	assert_null(letter_render(&fixture->settings, &fixture->arena, &fixture->letter, &message));
	assert_true(text_equal(message.sender, TEXT("no-reply@example.com")));
	assert_true(text_equal(message.recipient, fixture->letter.recipient));
	return text_string(&fixture->arena, message.content);
}

static const char *refusal(struct fixture *fixture)
{
	struct message message;
	return letter_render(&fixture->settings, &fixture->arena, &fixture->letter, &message);
}

static const char *check(struct fixture *fixture)
{
	return letter_check(&fixture->settings, &fixture->arena);
}

static void assert_holds(const char *whole, const char *part)
{
	if (!whole || !strstr(whole, part))
		fail_msg("no \"%s\" in:\n%s", part, whole ? whole : "(nothing)");
}

static void assert_holds_no(const char *whole, const char *part)
{
	if (strstr(whole, part))
		fail_msg("\"%s\" in:\n%s", part, whole);
}

static void all_letters_render_with_and_without_a_name(void **state)
{
	struct fixture *fixture = *state;
	assert_int_equal(letter_template_count, 4);
	for (size_t i = 0; i < letter_template_count; i++) {
		fixture->letter.template = text_of(letter_templates[i].name);
		fixture->letter.full_name = TEXT("Jane Doe");
		assert_holds(render(fixture), "\r\n\r\nHello Jane Doe,\r\n\r\n");
		fixture->letter.full_name = TEXT_NONE;
		const char *written = render(fixture);
		assert_holds(written, "\r\n\r\nHello,\r\n\r\n");
		assert_holds(written, "<p>Hello,</p>");
		assert_holds(written, "Example");
		assert_holds_no(written, "{");
	}
}

static void a_link_stands_on_a_line_of_its_own(void **state)
{
	struct fixture *fixture = *state;
	assert_holds(render(fixture),
		"\r\n\r\nhttps://www.example.com/api/auth/verify/the-token_42\r\n\r\n");
	assert_holds(render(fixture), "valid for 24 hours");
	fixture->letter.template = TEXT("reset");
	fixture->settings.links_reset = "https://www.example.com/new?token={token}&x=y";
	const char *written = render(fixture);
	assert_holds(written, "\r\n\r\nhttps://www.example.com/new?token=the-token_42&x=y\r\n\r\n");
	assert_holds(written, "href=\"https://www.example.com/new?token=the-token_42&amp;x=y\"");
	assert_holds(written, "valid for 1 hour.");
}

static void lifetimes_are_said_in_the_unit_that_fits(void **state)
{
	static const struct {
		long seconds;
		const char *said;
	} rows[] = { { 1, "1 second" }, { 90, "90 seconds" }, { 60, "1 minute" },
		{ 1800, "30 minutes" }, { 5400, "90 minutes" }, { 3600, "1 hour" },
		{ 86400, "24 hours" }, { 129600, "36 hours" }, { 172800, "2 days" } };
	struct fixture *fixture = *state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fixture->settings.links_verify_ttl = rows[i].seconds;
		assert_holds(render(fixture),
			arena_format(&fixture->arena, "valid for %s.", rows[i].said));
	}
}

static void a_name_is_escaped_in_html(void **state)
{
	struct fixture *fixture = *state;
	fixture->letter.full_name = TEXT("<a href=\"x\">&'");
	const char *written = render(fixture);
	assert_holds(written, "Hello <a href=\"x\">&',\r\n");
	assert_holds(written, "<p>Hello &lt;a href=&quot;x&quot;&gt;&amp;&#39;,</p>");
}

static void a_value_is_not_searched_for_words(void **state)
{
	struct fixture *fixture = *state;
	fixture->letter.full_name = TEXT("{link} {name} {site}");
	assert_holds(render(fixture), "Hello {link} {name} {site},\r\n");
	fixture->settings.mail_site = "{name}{link}";
	assert_holds(render(fixture), "Subject: Confirm your email address for {name}{link}\r\n");
	fixture->letter.token = TEXT("{base_url}{token}");
	assert_holds(render(fixture), "/verify/{base_url}{token}\r\n");
}

static void control_characters_are_refused(void **state)
{
	struct fixture *fixture = *state;
	fixture->letter.full_name = TEXT("Jane\r\nBcc: all@example.com");
	assert_holds(refusal(fixture), "name");
	fixture->letter.full_name = TEXT("Jane\0Doe");
	assert_holds(refusal(fixture), "name");
	fixture->letter.full_name = TEXT("Jane\xff");
	assert_holds(refusal(fixture), "name");
	fixture->letter.full_name = TEXT_NONE;
	fixture->letter.token = TEXT("a\nb");
	assert_holds(refusal(fixture), "link");
	fixture->letter.token = TEXT("a b");
	assert_holds(refusal(fixture), "link");
	fixture->letter.token = TEXT("token");
	fixture->settings.mail_site = "A\r\nBcc: all@example.com";
	assert_holds(refusal(fixture), "mail.site");
	fixture->settings.mail_site = "A";
	fixture->settings.mail_from = "A\r\nBcc: all@example.com <a@example.com>";
	assert_holds(refusal(fixture), "mail.from");
}

static void what_cannot_be_sent_is_refused(void **state)
{
	struct fixture *fixture = *state;
	fixture->letter.recipient = TEXT("a@example.com>\r\nRCPT TO:<b@example.com");
	assert_holds(refusal(fixture), "address");
	fixture->letter.recipient = TEXT("jane@example.org");
	fixture->letter.token = TEXT_NONE;
	assert_holds(refusal(fixture), "token");
	fixture->letter.template = TEXT("../verify");
	assert_holds(refusal(fixture), "no letter");
	fixture->letter.template = TEXT("changed");
	assert_null(refusal(fixture));
}

/* a registration must not lose its mail to a name that does not fit into a line */
static void the_longest_name_is_left_out(void **state)
{
	struct fixture *fixture = *state;
	char *name = arena_alloc(&fixture->arena, 400);
	memset(name, '"', 400);
	fixture->letter.full_name = (struct text){ name, 100 };
	assert_holds(render(fixture), "Hello \"\"\"");
	fixture->letter.full_name = (struct text){ name, 101 };
	assert_holds(render(fixture), "\r\n\r\nHello,\r\n");
}

static void the_site_is_the_host_where_it_has_no_name(void **state)
{
	struct fixture *fixture = *state;
	fixture->settings.mail_site = "";
	assert_holds(
		render(fixture), "Subject: Confirm your email address for www.example.com\r\n");
	fixture->settings.api_base_url = "http://localhost:8080/api/auth";
	assert_holds(render(fixture), "Subject: Confirm your email address for localhost\r\n");
	fixture->settings.api_base_url = "http://[::1]:8080/api/auth";
	assert_holds(render(fixture), "for [::1]:8080\r\n");
}

static void two_tries_are_one_mail(void **state)
{
	struct fixture *fixture = *state;
	const char *once = render(fixture);
	assert_string_equal(once, render(fixture));
	char id[UUID_TEXT_SIZE];
	uuid_print(fixture->letter.id, id);
	assert_holds(
		once, arena_format(&fixture->arena, "\r\nMessage-ID: <%s@example.com>\r\n", id));
	assert_holds(once, "Date: Fri, 02 Jan 2026 03:04:05 +0000\r\n");
}

static void a_site_may_have_letters_of_its_own(void **state)
{
	struct fixture *fixture = *state;
	put(fixture, "verify.txt", "Willkommen bei {site}\r\n\r\nHallo{name}!\r\n{link}");
	assert_null(check(fixture));
	const char *written = render(fixture);
	assert_holds(written, "Subject: Willkommen bei Example\r\n");
	assert_holds(written, "\r\n\r\nHallo Jane Doe!\r\n"
			      "https://www.example.com/api/auth/verify/the-token_42\r\n");
	assert_holds(written, "<p>Please confirm"); /* the part that it has none of */
	fixture->letter.template = TEXT("reset");
	assert_holds(render(fixture), "Subject: Set a new password for Example\r\n");
}

static void assert_refused(
	struct fixture *fixture, const char *name, const char *content, const char *reason)
{
	put(fixture, name, content);
	const char *wrong = check(fixture);
	assert_holds(wrong, reason);
	unlink(path_of(fixture, name));
	assert_null(check(fixture));
}

static void a_broken_template_is_said_at_the_start(void **state)
{
	struct fixture *fixture = *state;
	assert_refused(fixture, "verify.txt", "", "subject");
	assert_refused(fixture, "verify.txt", "\n\n{link}\n", "subject");
	assert_refused(fixture, "verify.txt", "Subject\n{link}\n", "subject");
	assert_refused(fixture, "verify.txt", "Sub\tject\n\n{link}\n", "subject");
	assert_refused(fixture, "verify.txt", "For {name}\n\n{link}\n", "{name}");
	assert_refused(fixture, "verify.txt", "Subject\n\nHello\n", "{link}");
	assert_refused(fixture, "verify.txt", "Subject\n\nopen {link}\n", "{link}");
	assert_refused(fixture, "verify.txt", "Subject\n\n{link}\n{nmae}\n", "{nmae}");
	assert_refused(fixture, "verify.html", "<p>no way on</p>", "{link}");
	assert_refused(fixture, "changed.txt", "Subject\n\n{link}\n", "{link}");
	assert_refused(fixture, "known.html", "<p>{lifetime}</p>", "{lifetime}");
	assert_refused(fixture, "known.html", "\xff", "UTF-8");
}

static void braces_that_are_no_words_may_be_there(void **state)
{
	struct fixture *fixture = *state;
	put(fixture, "known.html", "<style>p{color:red}a{}</style><p>{ name } {NAME} {</p>");
	assert_null(check(fixture));
	fixture->letter.template = TEXT("known");
	assert_holds(render(fixture), "<style>p{color:red}a{}</style><p>{ name } {NAME} {</p>");
}

static void a_template_that_cannot_be_read_is_said(void **state)
{
	struct fixture *fixture = *state;
	put_octets(fixture, "known.txt", TEXT("Subject\n\nte\0xt\n"));
	assert_holds(check(fixture), "known.txt");
	char *long_text = arena_alloc(&fixture->arena, 70001);
	memset(long_text, '\n', 70000);
	put(fixture, "known.txt", long_text);
	assert_holds(check(fixture), "64 KiB");
	fixture->settings.mail_templates = path_of(fixture, "missing");
	assert_holds(check(fixture), "mail.templates");
}

static void mail_goes_out_while_a_template_is_edited(void **state)
{
	struct fixture *fixture = *state;
	put(fixture, "verify.txt", "");
	assert_holds(render(fixture), "Subject: Confirm your email address for Example\r\n");
}

static void the_sender_is_checked(void **state)
{
	struct fixture *fixture = *state;
	static const char *const bad[] = { "", "Example", "a@b@c", "A <a@example.com>, b@c",
		"A\x01 <a@example.com>", "\xff <a@example.com>" };
	assert_null(check(fixture));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fixture->settings.mail_from = bad[i];
		assert_holds(check(fixture), "mail.from");
	}
}

static void links_are_checked(void **state)
{
	struct fixture *fixture = *state;
	static const char *const bad[] = { "", "https://example.com/", "{base_url}/x/{tokens}",
		"{base_url}/{token}/{token}", "/verify/{token}", "javascript:{token}",
		"{base_url}/a b/{token}", "{base_url}/\xc3\xa4/{token}",
		"{base_url}/{user}/{token}", "{base_url}/{token}\nx" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fixture->settings.links_reset = bad[i];
		assert_holds(check(fixture), "links.reset");
	}
	fixture->settings.links_reset = "http://localhost:3000/#/reset?token={token}";
	assert_null(check(fixture));
	fixture->settings.links_verify = "ftp://example.com/{token}";
	assert_holds(check(fixture), "links.verify");
}

static void the_base_url_is_checked(void **state)
{
	struct fixture *fixture = *state;
	static const char *const bad[] = { "", "www.example.com", "ftp://example.com",
		"https://example.com/?a=b", "https://example.com/#top" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fixture->settings.api_base_url = bad[i];
		assert_holds(check(fixture), "api.base_url");
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_letters_render_with_and_without_a_name),
		TEST(a_link_stands_on_a_line_of_its_own),
		TEST(lifetimes_are_said_in_the_unit_that_fits),
		TEST(a_name_is_escaped_in_html),
		TEST(a_value_is_not_searched_for_words),
		TEST(control_characters_are_refused),
		TEST(what_cannot_be_sent_is_refused),
		TEST(the_longest_name_is_left_out),
		TEST(the_site_is_the_host_where_it_has_no_name),
		TEST(two_tries_are_one_mail),
		TEST(a_site_may_have_letters_of_its_own),
		TEST(a_broken_template_is_said_at_the_start),
		TEST(braces_that_are_no_words_may_be_there),
		TEST(a_template_that_cannot_be_read_is_said),
		TEST(mail_goes_out_while_a_template_is_edited),
		TEST(the_sender_is_checked),
		TEST(links_are_checked),
		TEST(the_base_url_is_checked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
