/* SPDX-License-Identifier: MIT */
/*
 * Mail as RFC 5322 and MIME want it: what a template or a name may hold, and what may not leave. All
 * that is written is ASCII in short lines, so every server takes it, 8BITMIME or not.
 */
#include "mail/mime.h"

#include <string.h>
#include <time.h>

#define LINE_MAXIMUM 998 /* octets of a line that is not encoded (RFC 5322 section 2.1.1) */
#define ENCODED_MAXIMUM 76 /* of one in quoted-printable (RFC 2045 section 6.7) */
#define HEADER_MAXIMUM 900 /* of a value that is written as it is: room for its name */
#define WORD_OCTETS 39 /* in an encoded word: in base64 and with "Subject: ", 76 at most */

static bool is_ascii(struct text text)
{
	for (size_t i = 0; i < text.length; i++)
		if ((unsigned char)text.at[i] >= 0x80)
			return false;
	return true;
}

/* Base64 with its own alphabet and padding (RFC 4648 section 4). */
static struct text base64(struct arena *arena, struct text octets)
{
	struct text url = base64url_encode(arena, octets.at, octets.length);
	size_t length = (url.length + 3) / 4 * 4;
	char *encoded = arena_alloc(arena, length + 1);
	memset(encoded, '=', length);
	for (size_t i = 0; i < url.length; i++)
		encoded[i] = url.at[i] == '-' ? '+' : url.at[i] == '_' ? '/' : url.at[i];
	return (struct text){ encoded, length };
}

/* How much of the text fits into one encoded word without splitting a character. */
static size_t word_length(struct text text)
{
	size_t length = text.length < WORD_OCTETS ? text.length : WORD_OCTETS;
	size_t whole = length;
	while (whole > 0 && whole < text.length && ((unsigned char)text.at[whole] & 0xc0) == 0x80)
		whole--;
	return whole > 0 ? whole : length; /* what is not UTF-8 ends too */
}

/* True for what means itself in a header. */
static bool is_literal(struct text value)
{
	return is_ascii(value) && value.length <= HEADER_MAXIMUM &&
	       (value.length < 2 || !memmem(value.at, value.length, "=?", 2));
}

struct text mime_words(struct arena *arena, struct text value)
{
	struct text words = TEXT("");
	if (is_literal(value))
		return value;
	while (value.length > 0) {
		size_t length = word_length(value);
		struct text word = base64(arena, (struct text){ value.at, length });
		words = text_format(arena, "%.*s%s=?UTF-8?B?%.*s?=", TEXT_PRINTF(words),
			words.length > 0 ? "\r\n " : "", TEXT_PRINTF(word));
		value = text_after(value, length);
	}
	return words;
}

/* CR, LF and CRLF all become CRLF: a bare line feed could end the message early for one server
 * and not for the next (SMTP smuggling). */
static struct text with_crlf(struct arena *arena, struct text text)
{
	char *to = arena_alloc(arena, 2 * text.length + 3);
	size_t used = 0;
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] == '\r' && i + 1 < text.length && text.at[i + 1] == '\n')
			continue;
		if (text.at[i] == '\r' || text.at[i] == '\n') {
			to[used++] = '\r';
			to[used++] = '\n';
		} else {
			to[used++] = text.at[i];
		}
	}
	if (used > 0 && to[used - 1] != '\n') {
		to[used++] = '\r';
		to[used++] = '\n';
	}
	return (struct text){ to, used };
}

/* Whether lines can be written as they are: printable ASCII and tabs, no line too long. */
static bool is_seven_bit(struct text lines)
{
	size_t line = 0;
	for (size_t i = 0; i < lines.length; i++) {
		unsigned char c = (unsigned char)lines.at[i];
		bool ends = c == '\r' || c == '\n';
		line = ends ? 0 : line + 1;
		if ((c < 0x20 && !ends && c != '\t') || c >= 0x7f || line > LINE_MAXIMUM)
			return false;
	}
	return true;
}

/* How many octets stand for c: one, or three. A space at the end of a line would be lost. */
static size_t encoded_width(char c, bool ends_line)
{
	bool literal =
		(c > 0x20 && c < 0x7f && c != '=') || ((c == ' ' || c == '\t') && !ends_line);
	return literal ? 1 : 3;
}

/* Quoted-printable (RFC 2045 section 6.7), of lines that end with CRLF. */
static struct text quoted_printable(struct arena *arena, struct text lines)
{
	static const char digits[] = "0123456789ABCDEF";
	/* three octets for each, and at every 73rd at least a line end of three */
	char *to = arena_alloc(arena, 4 * lines.length + 4);
	size_t used = 0;
	size_t column = 0;
	for (size_t i = 0; i < lines.length; i++) {
		unsigned char c = (unsigned char)lines.at[i];
		if (c == '\r' || c == '\n') {
			to[used++] = (char)c;
			column = 0;
			continue;
		}
		/* with_crlf() has ended the last line, so there is an octet after this one */
		bool ends_line = lines.at[i + 1] == '\r';
		size_t width = encoded_width((char)c, ends_line);
		if (column + width + !ends_line > ENCODED_MAXIMUM) {
			memcpy(to + used, "=\r\n", 3);
			used += 3;
			column = 0;
		}
		column += width;
		if (width == 1) {
			to[used++] = (char)c;
			continue;
		}
		to[used++] = '=';
		to[used++] = digits[c >> 4];
		to[used++] = digits[c & 0xf];
	}
	return (struct text){ to, used };
}

/* RFC 5322 section 3.3, in English whatever the locale. */
static const char *date(struct arena *arena, int64_t seconds)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t time = (time_t)seconds;
	struct tm utc;
	gmtime_r(&time, &utc);
	return arena_format(arena, "%s, %02d %s %04d %02d:%02d:%02d +0000", days[utc.tm_wday],
		utc.tm_mday, months[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min,
		utc.tm_sec);
}

/* A display name is quoted, for it may hold what has a meaning in addresses. */
static struct text from(struct arena *arena, const struct mime_message *message)
{
	struct text name = message->sender_name;
	if (name.length == 0)
		return message->sender;
	if (!is_literal(name)) {
		name = mime_words(arena, name);
		return text_format(
			arena, "%.*s\r\n <%.*s>", TEXT_PRINTF(name), TEXT_PRINTF(message->sender));
	}
	char *quoted = arena_alloc(arena, 2 * name.length + 1);
	size_t used = 0;
	for (size_t i = 0; i < name.length; i++) {
		if (name.at[i] == '"' || name.at[i] == '\\')
			quoted[used++] = '\\';
		quoted[used++] = name.at[i];
	}
	return text_format(
		arena, "\"%.*s\" <%.*s>", (int)used, quoted, TEXT_PRINTF(message->sender));
}

/* A part between its boundaries. What is ASCII stays as it is: links are found in it by the simplest
 * of readers. */
static struct text part(
	struct arena *arena, const char *boundary, const char *type, struct text content)
{
	struct text lines = with_crlf(arena, content);
	bool as_it_is = is_seven_bit(lines);
	if (!as_it_is)
		lines = quoted_printable(arena, lines);
	return text_format(arena,
		"--%s\r\n"
		"Content-Type: %s; charset=utf-8\r\n"
		"Content-Transfer-Encoding: %s\r\n"
		"\r\n"
		"%.*s\r\n",
		boundary, type, as_it_is ? "7bit" : "quoted-printable", TEXT_PRINTF(lines));
}

/* A header value that ends its line would begin a header of somebody's choice. */
static bool can_be_written(const struct mime_message *message)
{
	struct text headers[] = { message->sender, message->sender_name, message->recipient,
		message->subject };
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		if (text_has_control(headers[i]))
			return false;
	return is_ascii(message->sender) && is_ascii(message->recipient) &&
	       text_find(message->text, '\0') == message->text.length &&
	       text_find(message->html, '\0') == message->html.length;
}

bool mime_write(struct arena *arena, const struct mime_message *message, struct text *written)
{
	char id[UUID_TEXT_SIZE];
	if (!can_be_written(message))
		return false;
	uuid_print(message->id, id);
	const char *boundary = arena_format(arena, "=_%s", id);
	struct text sender = from(arena, message);
	struct text subject = mime_words(arena, message->subject);
	struct text plain_part = part(arena, boundary, "text/plain", message->text);
	struct text html_part = part(arena, boundary, "text/html", message->html);
	struct text domain = text_after(message->sender, text_find(message->sender, '@') + 1);
	*written = text_format(arena,
		"Date: %s\r\n"
		"From: %.*s\r\n"
		"To: %.*s\r\n"
		"Subject: %.*s\r\n"
		"Message-ID: <%s@%.*s>\r\n"
		"Auto-Submitted: auto-generated\r\n"
		"MIME-Version: 1.0\r\n"
		"Content-Type: multipart/alternative; boundary=\"%s\"\r\n"
		"\r\n"
		"%.*s%.*s--%s--\r\n",
		date(arena, message->written_at), TEXT_PRINTF(sender),
		TEXT_PRINTF(message->recipient), TEXT_PRINTF(subject), id, TEXT_PRINTF(domain),
		boundary, TEXT_PRINTF(plain_part), TEXT_PRINTF(html_part), boundary);
	return true;
}
