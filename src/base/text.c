/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

struct text text_of(const char *string)
{
	return (struct text){ string, string ? strlen(string) : 0 };
}

static char fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool text_equal(struct text a, struct text b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.at, b.at, a.length) == 0);
}

bool text_equal_fold(struct text a, struct text b)
{
	if (a.length != b.length)
		return false;
	for (size_t i = 0; i < a.length; i++)
		if (fold(a.at[i]) != fold(b.at[i]))
			return false;
	return true;
}

int text_compare(struct text a, struct text b)
{
	size_t shorter = a.length < b.length ? a.length : b.length;
	int order = shorter > 0 ? memcmp(a.at, b.at, shorter) : 0;
	return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

int text_compare_fold(struct text a, struct text b)
{
	size_t shorter = a.length < b.length ? a.length : b.length;
	for (size_t i = 0; i < shorter; i++) {
		unsigned char left = (unsigned char)fold(a.at[i]);
		unsigned char right = (unsigned char)fold(b.at[i]);
		if (left != right)
			return left < right ? -1 : 1;
	}
	return (a.length > b.length) - (a.length < b.length);
}

bool text_contains_fold(struct text text, struct text part)
{
	for (; text.length >= part.length; text = text_after(text, 1)) {
		if (text_equal_fold((struct text){ text.at, part.length }, part))
			return true;
		if (text.length == 0)
			break;
	}
	return false;
}

bool text_starts_with(struct text text, struct text prefix)
{
	return text.length >= prefix.length &&
	       text_equal((struct text){ text.at, prefix.length }, prefix);
}

size_t text_find(struct text text, char wanted)
{
	const char *at = text.length > 0 ? memchr(text.at, wanted, text.length) : NULL;
	return at ? (size_t)(at - text.at) : text.length;
}

size_t text_find_last(struct text text, char wanted)
{
	const char *at = text.length > 0 ? memrchr(text.at, wanted, text.length) : NULL;
	return at ? (size_t)(at - text.at) : text.length;
}

struct text text_after(struct text text, size_t count)
{
	if (count > text.length)
		count = text.length;
	return (struct text){ text.at ? text.at + count : NULL, text.length - count };
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct text text_trim(struct text text)
{
	size_t from = 0;
	while (from < text.length && is_space(text.at[from]))
		from++;
	while (text.length > from && is_space(text.at[text.length - 1]))
		text.length--;
	return text_after(text, from);
}

bool text_next(struct text *rest, char separator, struct text *part)
{
	if (!text_is_given(*rest))
		return false;
	size_t end = text_find(*rest, separator);
	*part = (struct text){ rest->at, end };
	*rest = end < rest->length ? text_after(*rest, end + 1) : TEXT_NONE;
	return true;
}

struct text text_lower(struct arena *arena, struct text text)
{
	if (!text_is_given(text))
		return TEXT_NONE;
	char *lower = arena_copy(arena, text.at, text.length);
	for (size_t i = 0; i < text.length; i++)
		lower[i] = fold(lower[i]);
	return (struct text){ lower, text.length };
}

char *text_string(struct arena *arena, struct text text)
{
	return arena_copy(arena, text.at, text.length);
}

struct text text_format(struct arena *arena, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *string = arena_format_list(arena, format, arguments);
	va_end(arguments);
	return text_of(string);
}

bool text_has_control(struct text text)
{
	for (size_t i = 0; i < text.length; i++)
		if ((unsigned char)text.at[i] < 0x20 || text.at[i] == 0x7f)
			return true;
	return false;
}

bool text_integer(struct text text, long long *value)
{
	bool negative = text.length > 0 && text.at[0] == '-';
	struct text digits = negative ? text_after(text, 1) : text;
	if (digits.length == 0)
		return false;
	long long sum = 0; /* negative throughout: that side reaches further */
	for (size_t i = 0; i < digits.length; i++) {
		int digit = digits.at[i] - '0';
		if (digit < 0 || digit > 9 || sum < (LLONG_MIN + digit) / 10)
			return false;
		sum = sum * 10 - digit;
	}
	if (!negative && sum == LLONG_MIN)
		return false;
	*value = negative ? sum : -sum;
	return true;
}

/* The octets of the sequence that begins the text, or 0 where it is not valid (RFC 3629, 4). */
static size_t sequence_length(const unsigned char *at, size_t length)
{
	static const struct {
		unsigned char first, last, second_low, second_high, size;
	} rows[] = {
		{ 0x00, 0x7f, 0, 0, 1 },
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (at[0] < rows[i].first || at[0] > rows[i].last)
			continue;
		if (rows[i].size > length ||
			(rows[i].size > 1 &&
				(at[1] < rows[i].second_low || at[1] > rows[i].second_high)))
			return 0;
		for (size_t k = 2; k < rows[i].size; k++)
			if ((at[k] & 0xc0) != 0x80)
				return 0;
		return rows[i].size;
	}
	return 0;
}

bool utf8_is_valid(struct text text)
{
	const unsigned char *at = (const unsigned char *)text.at;
	for (size_t left = text.length; left > 0;) {
		/* nearly all text is ASCII: eight octets in one look */
		uint64_t eight = UINT64_MAX;
		if (left >= sizeof(eight))
			memcpy(&eight, at, sizeof(eight));
		size_t size = (eight & 0x8080808080808080U) == 0 ? sizeof(eight)
								 : sequence_length(at, left);
		if (size == 0)
			return false;
		at += size;
		left -= size;
	}
	return true;
}

size_t utf8_length(struct text text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.length; i++)
		count += ((unsigned char)text.at[i] & 0xc0) != 0x80;
	return count;
}

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct text base64url_encode(struct arena *arena, const void *octets, size_t size)
{
	const unsigned char *from = octets;
	size_t length = size / 3 * 4 + (size % 3 > 0 ? size % 3 + 1 : 0);
	char *encoded = arena_alloc(arena, length + 1);
	unsigned bits = 0;
	unsigned held = 0;
	char *to = encoded;
	for (size_t i = 0; i < size; i++) {
		bits = bits << 8 | from[i];
		for (held += 8; held >= 6; held -= 6)
			*to++ = base64url[bits >> (held - 6) & 63];
	}
	if (held > 0)
		*to = base64url[bits << (6 - held) & 63];
	return (struct text){ encoded, length };
}

/* Its value, or -1. */
static int base64url_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool base64url_decode(struct arena *arena, struct text encoded, struct text *octets)
{
	size_t size = encoded.length * 3 / 4;
	if (encoded.length % 4 == 1)
		return false;
	char *decoded = arena_alloc(arena, size + 1);
	unsigned bits = 0;
	unsigned held = 0;
	size_t count = 0;
	for (size_t i = 0; i < encoded.length; i++) {
		int digit = base64url_digit(encoded.at[i]);
		if (digit < 0)
			return false;
		bits = bits << 6 | (unsigned)digit;
		held += 6;
		if (held >= 8) {
			held -= 8;
			decoded[count++] = (char)(bits >> held & 0xff);
		}
	}
	/* the bits that are left over would be a second spelling of the same octets */
	if ((bits & ((1U << held) - 1)) != 0)
		return false;
	*octets = (struct text){ decoded, size };
	return true;
}
