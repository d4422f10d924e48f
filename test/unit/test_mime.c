/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "mail/mime.h"

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

static struct mime_message plain_message(void)
{
	struct mime_message message = {
		.written_at = 1767323045,
		.sender = TEXT("no-reply@example.com"),
		.recipient = TEXT("jane@example.org"),
		.subject = TEXT("Hello"),
		.text = TEXT("text\n"),
		.html = TEXT("<p>html</p>\n"),
	};
	assert_true(uuid_parse(TEXT("01234567-89ab-4cde-8f01-23456789abcd"), &message.id));
	return message;
}

static const char *write_down(struct arena *arena, const struct mime_message *message)
{
	struct text written;
	assert_true(mime_write(arena, message, &written));
	return text_string(arena, written);
}

static void assert_holds(const char *whole, const char *part)
{
	if (!whole || !strstr(whole, part))
		fail_msg("no \"%s\" in:\n%s", part, whole ? whole : "nothing");
}

static void a_message_is_written_in_full(void **state)
{
	struct mime_message message = plain_message();
	assert_string_equal(write_down(*state, &message),
		"Date: Fri, 02 Jan 2026 03:04:05 +0000\r\n"
		"From: no-reply@example.com\r\n"
		"To: jane@example.org\r\n"
		"Subject: Hello\r\n"
		"Message-ID: <01234567-89ab-4cde-8f01-23456789abcd@example.com>\r\n"
		"Auto-Submitted: auto-generated\r\n"
		"MIME-Version: 1.0\r\n"
		"Content-Type: multipart/alternative; "
		"boundary=\"=_01234567-89ab-4cde-8f01-23456789abcd\"\r\n"
		"\r\n"
		"--=_01234567-89ab-4cde-8f01-23456789abcd\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Transfer-Encoding: 7bit\r\n"
		"\r\n"
		"text\r\n"
		"\r\n"
		"--=_01234567-89ab-4cde-8f01-23456789abcd\r\n"
		"Content-Type: text/html; charset=utf-8\r\n"
		"Content-Transfer-Encoding: 7bit\r\n"
		"\r\n"
		"<p>html</p>\r\n"
		"\r\n"
		"--=_01234567-89ab-4cde-8f01-23456789abcd--\r\n");
}

static void a_part_that_is_not_ascii_says_so_and_stays_as_it_is(void **state)
{
	struct mime_message message = plain_message();
	message.text = TEXT("Zo\xc3\xab\nhttps://example.com/x?token=abc\n");
	const char *written = write_down(*state, &message);
	assert_holds(written, "text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
			      "Zo\xc3\xab\r\nhttps://example.com/x?token=abc\r\n");
	assert_holds(written, "text/html; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n");
}

/* a bare CR or LF ends a message early for one server and not for the next */
static void every_line_end_becomes_crlf(void **state)
{
	struct mime_message message = plain_message();
	message.text = TEXT("a\nb\rc\r\nd\n\r\ne\r.\rf");
	assert_holds(write_down(*state, &message),
		"\r\n\r\na\r\nb\r\nc\r\nd\r\n\r\ne\r\n.\r\nf\r\n\r\n--=_");
	const char *written = write_down(*state, &message);
	for (const char *at = written; *at; at++) {
		assert_true(*at != '\n' || at[-1] == '\r');
		assert_true(*at != '\r' || at[1] == '\n');
	}
}

static void a_line_has_998_octets_at_most(void **state)
{
	struct mime_message message = plain_message();
	struct text written;
	char line[999];
	memset(line, 'x', sizeof(line));
	message.text = (struct text){ line, 998 };
	assert_true(mime_write(*state, &message, &written));
	message.text = (struct text){ line, 999 };
	assert_false(mime_write(*state, &message, &written));
	message.text = TEXT("fine");
	message.html = (struct text){ line, 999 };
	assert_false(mime_write(*state, &message, &written));
}

static void a_nul_is_refused(void **state)
{
	struct mime_message message = plain_message();
	struct text written;
	message.html = TEXT("before\0after");
	assert_false(mime_write(*state, &message, &written));
}

static void a_name_is_quoted_and_cannot_leave_its_quotes(void **state)
{
	struct mime_message message = plain_message();
	message.sender_name = TEXT("Doe, \"J\\ane\" <x@evil.example>");
	assert_holds(write_down(*state, &message),
		"From: \"Doe, \\\"J\\\\ane\\\" <x@evil.example>\" <no-reply@example.com>\r\n");
	message.sender_name = TEXT("Z\xc3\xbcrich");
	assert_holds(write_down(*state, &message),
		"From: =?UTF-8?B?WsO8cmljaA==?=\r\n <no-reply@example.com>\r\n");
}

static void a_subject_that_is_not_ascii_becomes_encoded_words(void **state)
{
	struct mime_message message = plain_message();
	message.subject = TEXT("Best\xc3\xa4tigen");
	assert_holds(write_down(*state, &message), "Subject: =?UTF-8?B?QmVzdMOkdGlnZW4=?=\r\n");
}

/* else a reader would decode what was never encoded */
static void what_looks_encoded_is_encoded(void **state)
{
	struct text words = mime_words(*state, TEXT("=?UTF-8?B?QQ==?="));
	assert_true(text_equal(words, TEXT("=?UTF-8?B?PT9VVEYtOD9CP1FRPT0/PQ==?=")));
}

/* RFC 2047 section 2: 75 characters for a word, 76 for a line; section 5: characters stay whole */
static void a_long_subject_is_folded_between_characters(void **state)
{
	struct arena *arena = *state;
	static const char *const characters[] = { "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x94\x91" };
	for (size_t kind = 0; kind < 3; kind++) {
		struct text subject = TEXT("x");
		for (int i = 0; i < 60; i++)
			subject = text_format(
				arena, "%.*s%s", TEXT_PRINTF(subject), characters[kind]);
		struct text rest = text_format(
			arena, "Subject: %.*s", TEXT_PRINTF(mime_words(arena, subject)));
		struct text decoded = TEXT("");
		struct text line;
		while (text_next(&rest, '\n', &line)) {
			line = text_trim(line);
			assert_true(line.length <= 75);
			size_t start = (size_t)(strstr(line.at, "=?UTF-8?B?") - line.at) + 10;
			struct text code = { line.at + start, line.length - start - 2 };
			while (code.at[code.length - 1] == '=')
				code.length--;
			char *url = text_string(arena, code);
			for (char *at = url; *at; at++)
				*at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
			struct text octets;
			assert_true(base64url_decode(arena, text_of(url), &octets));
			assert_true(utf8_is_valid(octets));
			decoded = text_format(
				arena, "%.*s%.*s", TEXT_PRINTF(decoded), TEXT_PRINTF(octets));
		}
		assert_true(text_equal(decoded, subject));
	}
}

static void what_is_not_utf8_ends_all_the_same(void **state)
{
	char octets[200];
	memset(octets, 0x80, sizeof(octets));
	struct text words = mime_words(*state, (struct text){ octets, sizeof(octets) });
	assert_true(words.length > sizeof(octets));
}

static void a_very_long_header_is_folded(void **state)
{
	char octets[1200];
	memset(octets, 'a', sizeof(octets));
	struct text words = mime_words(*state, (struct text){ octets, sizeof(octets) });
	struct text line;
	while (text_next(&words, '\n', &line))
		assert_true(line.length <= 76);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_message_is_written_in_full),
		TEST(a_part_that_is_not_ascii_says_so_and_stays_as_it_is),
		TEST(every_line_end_becomes_crlf),
		TEST(a_line_has_998_octets_at_most),
		TEST(a_nul_is_refused),
		TEST(a_name_is_quoted_and_cannot_leave_its_quotes),
		TEST(a_subject_that_is_not_ascii_becomes_encoded_words),
		TEST(what_looks_encoded_is_encoded),
		TEST(a_long_subject_is_folded_between_characters),
		TEST(what_is_not_utf8_ends_all_the_same),
		TEST(a_very_long_header_is_folded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
