/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
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

/* What a reader makes of a quoted-printable part (RFC 2045 section 6.7). */
static const char *decode(struct arena *arena, const char *part)
{
	char *decoded = arena_alloc(arena, strlen(part) + 1);
	size_t used = 0;
	for (const char *at = part; *at; at++) {
		unsigned octet;
		if (*at != '=') {
			decoded[used++] = *at;
		} else if (at[1] == '\r') {
			at += 2;
		} else {
			assert_int_equal(sscanf(at + 1, "%2X", &octet), 1);
			decoded[used++] = (char)octet;
			at += 2;
		}
	}
	return decoded;
}

static void assert_seven_bits_in_short_lines(const char *written)
{
	size_t line = 0;
	for (const char *at = written; *at; at++) {
		assert_true((unsigned char)*at < 0x80);
		line = *at == '\n' ? 0 : line + 1;
		assert_true(line <= 998 + 1);
	}
}

static void a_part_that_is_not_ascii_is_encoded(void **state)
{
	struct mime_message message = plain_message();
	message.text = TEXT("Zo\xc3\xab = 1 \n\thttps://example.com/x\t\n");
	const char *written = write_down(*state, &message);
	assert_holds(written, "text/plain; charset=utf-8\r\n"
			      "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
			      "Zo=C3=AB =3D 1=20\r\n\thttps://example.com/x=09\r\n\r\n--=_");
	assert_holds(written, "text/html; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n");
	assert_seven_bits_in_short_lines(written);
}

/* Whatever the text, its lines come back whole: the link among them. */
static void encoded_lines_are_short_and_come_back(void **state)
{
	struct arena *arena = *state;
	struct mime_message message = plain_message();
	const char *link =
		"https://example.com/a?b=c&token=0123456789012345678901234567890123456789012";
	for (size_t length = 0; length < 160; length++) {
		char filler[160];
		memset(filler, length % 2 ? 'x' : ' ', sizeof(filler));
		message.text =
			text_format(arena, "\xe2\x82\xac%.*s\n%.*s\xc3\xab%s\n%s\n", (int)length,
				filler, (int)length, filler, filler[0] == 'x' ? "" : " ", link);
		const char *written = write_down(arena, &message);
		const char *part = strstr(written, "quoted-printable\r\n\r\n") + 20;
		char *lines = text_string(
			arena, (struct text){ part, (size_t)(strstr(part, "\r\n--=_") - part) });
		struct text rest = text_of(lines);
		struct text line;
		while (text_next(&rest, '\n', &line))
			assert_true(line.length <= 76 + 1); /* and its CR */
		const char *decoded = decode(arena, lines);
		assert_holds(decoded, arena_format(arena, "\r\n%s\r\n", link));
		struct text back = TEXT("");
		rest = text_of(decoded);
		while (text_next(&rest, '\r', &line)) /* LF alone, as it was written */
			back = text_format(arena, "%.*s%.*s", TEXT_PRINTF(back), TEXT_PRINTF(line));
		assert_true(text_equal(back, message.text));
	}
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

static void a_line_of_more_than_998_octets_is_encoded(void **state)
{
	struct mime_message message = plain_message();
	char line[999];
	memset(line, 'x', sizeof(line));
	message.text = (struct text){ line, 998 };
	assert_true(!strstr(write_down(*state, &message), "quoted-printable"));
	message.html = (struct text){ line, 999 };
	const char *written = write_down(*state, &message);
	assert_holds(written, "text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n");
	assert_holds(written, "text/html; charset=utf-8\r\n"
			      "Content-Transfer-Encoding: quoted-printable\r\n");
	assert_seven_bits_in_short_lines(written);
}

static void a_header_cannot_begin_another(void **state)
{
	const struct text bad[] = { TEXT("a\r\nBcc: b@example.com"), TEXT("a\nb"), TEXT("a\rb"),
		TEXT("a\0b"), TEXT("a\x7f") };
	struct text written;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct mime_message message = plain_message();
		message.subject = bad[i];
		assert_false(mime_write(*state, &message, &written));
		message = plain_message();
		message.sender_name = bad[i];
		assert_false(mime_write(*state, &message, &written));
		message = plain_message();
		message.sender = bad[i];
		assert_false(mime_write(*state, &message, &written));
		message = plain_message();
		message.recipient = bad[i];
		assert_false(mime_write(*state, &message, &written));
	}
	struct mime_message message = plain_message();
	message.recipient = TEXT("z\xc3\xb6@example.com");
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
		TEST(a_part_that_is_not_ascii_is_encoded),
		TEST(encoded_lines_are_short_and_come_back),
		TEST(every_line_end_becomes_crlf),
		TEST(a_line_of_more_than_998_octets_is_encoded),
		TEST(a_header_cannot_begin_another),
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
