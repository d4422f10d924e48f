/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "mail/letter.h"
#include "mail/mime.h"
#include "mail/smtp_url.h"

static struct arena arena;
static const struct settings plain = {
	.api_base_url = "https://www.example.com/api/auth",
	.mail_from = "The Site <no-reply@example.com>",
	.mail_site = "",
	.mail_templates = "",
	.links_verify = "{base_url}/verify/{token}",
	.links_reset = "https://www.example.com/reset?token={token}",
	.links_verify_ttl = 86400,
	.links_reset_ttl = 3600,
};

static struct letter letter(const char *template)
{
	return (struct letter){ .template = text_of(template),
		.written_at = 0,
		.recipient = TEXT("jane@example.com"),
		.full_name = TEXT("Jane Doe"),
		.token = TEXT("TOKEN") };
}

static const char *render(const struct settings *settings, struct letter wanted)
{
	struct message message;
	const char *wrong = letter_render(settings, &arena, &wanted, &message);
	return wrong ? wrong : message.content.at;
}

static void the_link_stands_on_a_line_of_its_own(void **state)
{
	(void)state;
	assert_non_null(strstr(render(&plain, letter("verify")),
		"\r\n\r\nhttps://www.example.com/api/auth/verify/TOKEN\r\n\r\n"));
	assert_non_null(strstr(render(&plain, letter("reset")),
		"\r\n\r\nhttps://www.example.com/reset?token=TOKEN\r\n\r\n"));
}

static void words_are_filled_in(void **state)
{
	(void)state;
	const char *text = render(&plain, letter("verify"));
	assert_non_null(
		strstr(text, "Subject: Confirm your email address for www.example.com\r\n"));
	assert_non_null(strstr(text, "From: \"The Site\" <no-reply@example.com>\r\n"));
	assert_non_null(strstr(text, "Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n"));
	assert_non_null(strstr(text, "Hello Jane Doe,"));
	assert_non_null(strstr(text, "valid for 24 hours"));
	assert_non_null(strstr(render(&plain, letter("reset")), "valid for 1 hour."));
	assert_null(strstr(text, "{"));
}

static void values_are_no_templates_and_no_html(void **state)
{
	(void)state;
	struct letter tricky = letter("verify");
	tricky.full_name = TEXT("<b>{link}</b>&\"");
	const char *text = render(&plain, tricky);
	assert_non_null(strstr(text, "Hello <b>{link}</b>&\","));
	assert_non_null(strstr(text, "Hello &lt;b&gt;{link}&lt;/b&gt;&amp;&quot;,"));
	tricky.full_name = TEXT_NONE;
	assert_non_null(strstr(render(&plain, tricky), "Hello,"));
}

static void what_could_forge_a_header_is_refused(void **state)
{
	(void)state;
	struct letter tricky = letter("verify");
	tricky.full_name = TEXT("a\r\nBcc: b@example.com");
	assert_non_null(strstr(render(&plain, tricky), "control"));
	tricky = letter("verify");
	tricky.recipient = TEXT("a@example.com>\r\nRCPT TO:<b@example.com");
	assert_non_null(strstr(render(&plain, tricky), "address"));
}

static void unsafe_addresses(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "a", "@b", "a@", "a@b@c", "a b@c", "a@b\n", "<a@b>",
		"a@b,c@d", "a;b@c", "\"a\"@b", "\xc3\xa4@b" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (address_is_safe(text_of(bad[i])))
			fail_msg("safe: %s", bad[i]);
	assert_true(address_is_safe(TEXT("a+b@example.com")));
}

static void settings_are_checked(void **state)
{
	(void)state;
	struct settings wrong = plain;
	assert_null(letter_check(&plain, &arena));
	wrong.links_verify = "{base_url}/verify";
	assert_non_null(strstr(letter_check(&wrong, &arena), "links.verify"));
	wrong.links_verify = "javascript:{token}";
	assert_non_null(strstr(letter_check(&wrong, &arena), "https://"));
	wrong = plain;
	wrong.mail_from = "nobody";
	assert_non_null(strstr(letter_check(&wrong, &arena), "mail.from"));
}

static void encoded_words(void **state)
{
	(void)state;
	assert_true(text_equal(mime_words(&arena, TEXT("plain")), TEXT("plain")));
	assert_true(text_equal(mime_words(&arena, TEXT("Zoë")), TEXT("=?UTF-8?B?Wm/Dqw==?=")));
	struct text words = mime_words(
		&arena, TEXT("ääääääääääääääääääääääääääääääääääääääääääääääääääääääääää"));
	struct text line;
	while (text_next(&words, '\n', &line))
		assert_true(line.length <= 77); /* a space before, CR behind */
}

static void line_ends_are_made_one(void **state)
{
	(void)state;
	struct mime_message message = { .sender = TEXT("a@example.com"),
		.recipient = TEXT("b@example.com"),
		.subject = TEXT("s"),
		.text = TEXT("a\n.\nb\r.\rc\r\n.\r\nd"),
		.html = TEXT("h") };
	struct text written;
	assert_true(mime_write(&arena, &message, &written));
	for (size_t i = 1; i < written.length; i++)
		assert_true((written.at[i] == '\n') == (written.at[i - 1] == '\r'));
}

static void mail_urls(void **state)
{
	(void)state;
	struct smtp_url url;
	assert_null(smtp_url_parse(&arena, "smtp://us%40er:p%3Ass@[::1]:2525", &url));
	assert_string_equal(url.user, "us@er");
	assert_string_equal(url.password, "p:ss");
	assert_string_equal(url.host, "::1");
	assert_string_equal(url.port, "2525");
	assert_null(smtp_url_parse(&arena, "smtp://mail.example.com", &url));
	assert_string_equal(url.port, "25");
	assert_null(url.user);
	assert_non_null(strstr(smtp_url_parse(&arena, "smtp://mail.example.com:465", &url), "587"));
	assert_non_null(strstr(smtp_url_parse(&arena, "smtps://mail.example.com", &url), "587"));
	assert_non_null(smtp_url_parse(&arena, "http://mail.example.com", &url));
	assert_non_null(smtp_url_parse(&arena, "smtp://", &url));
	assert_non_null(smtp_url_parse(&arena, "smtp://u:%0a@h", &url));
	assert_non_null(smtp_url_parse(&arena, "smtp://h:99999", &url));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_link_stands_on_a_line_of_its_own),
		cmocka_unit_test(words_are_filled_in),
		cmocka_unit_test(values_are_no_templates_and_no_html),
		cmocka_unit_test(what_could_forge_a_header_is_refused),
		cmocka_unit_test(unsafe_addresses),
		cmocka_unit_test(settings_are_checked),
		cmocka_unit_test(encoded_words),
		cmocka_unit_test(line_ends_are_made_one),
		cmocka_unit_test(mail_urls),
	};
	arena_init(&arena);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_finish(&arena);
	return failed;
}
