/* SPDX-License-Identifier: MIT */
/* Mail as RFC 5322 and MIME want it: what a template or a name may hold, and what may not leave. */
#include "mail/mime.h"

#include <string.h>
#include <time.h>

#define LINE_MAXIMUM 998
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
 * and not for the next (SMTP smuggling). False for a line that is too long, and for a NUL. */
static bool with_crlf(struct arena *arena, struct text text, struct text *lines)
{
	char *to = arena_alloc(arena, 2 * text.length + 3);
	size_t used = 0;
	size_t line = 0;
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] == '\r' && i + 1 < text.length && text.at[i + 1] == '\n')
			continue;
		if (text.at[i] == '\r' || text.at[i] == '\n') {
			to[used++] = '\r';
			to[used++] = '\n';
			line = 0;
		} else {
			to[used++] = text.at[i];
			if (++line > LINE_MAXIMUM || text.at[i] == '\0')
				return false;
		}
	}
	if (line > 0) {
		to[used++] = '\r';
		to[used++] = '\n';
	}
	*lines = (struct text){ to, used };
	return true;
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

/* A part between its boundaries. Text is never encoded: a link is to be found in it as it is. */
static struct text part(
	struct arena *arena, const char *boundary, const char *type, struct text lines)
{
	return text_format(arena,
		"--%s\r\n"
		"Content-Type: %s; charset=utf-8\r\n"
		"Content-Transfer-Encoding: %s\r\n"
		"\r\n"
		"%.*s\r\n",
		boundary, type, is_ascii(lines) ? "7bit" : "8bit", TEXT_PRINTF(lines));
}

bool mime_write(struct arena *arena, const struct mime_message *message, struct text *written)
{
	char id[UUID_TEXT_SIZE];
	struct text text;
	struct text html;
	if (!with_crlf(arena, message->text, &text) || !with_crlf(arena, message->html, &html))
		return false;
	uuid_print(message->id, id);
	const char *boundary = arena_format(arena, "=_%s", id);
	struct text sender = from(arena, message);
	struct text subject = mime_words(arena, message->subject);
	struct text plain_part = part(arena, boundary, "text/plain", text);
	struct text html_part = part(arena, boundary, "text/html", html);
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
