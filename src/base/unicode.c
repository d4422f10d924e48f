/* SPDX-License-Identifier: MIT */
/*
 * The few properties of characters that the service asks for. A name is shown in mails and on pages
 * beside other text: one that turns the direction of what follows, or hides a part of itself, can
 * pass for another (Unicode Technical Report 36). test/unicode.py holds the table against Python's.
 */
#include "base/unicode.h"

#include <stdint.h>

/* Cc, Zl, Zp and Cf, but for U+200C and U+200D, in order. */
static const struct {
	uint32_t first;
	uint32_t last;
} controls[] = {
	{ 0x0000, 0x001f },
	{ 0x007f, 0x009f },
	{ 0x00ad, 0x00ad },
	{ 0x0600, 0x0605 },
	{ 0x061c, 0x061c },
	{ 0x06dd, 0x06dd },
	{ 0x070f, 0x070f },
	{ 0x0890, 0x0891 },
	{ 0x08e2, 0x08e2 },
	{ 0x180e, 0x180e },
	{ 0x200b, 0x200b },
	{ 0x200e, 0x200f },
	{ 0x2028, 0x202e },
	{ 0x2060, 0x2064 },
	{ 0x2066, 0x206f },
	{ 0xfeff, 0xfeff },
	{ 0xfff9, 0xfffb },
	{ 0x110bd, 0x110bd },
	{ 0x110cd, 0x110cd },
	{ 0x13430, 0x1343f },
	{ 0x1bca0, 0x1bca3 },
	{ 0x1d173, 0x1d17a },
	{ 0xe0001, 0xe0001 },
	{ 0xe0020, 0xe007f },
};

static bool is_control(uint32_t point)
{
	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++)
		if (point <= controls[i].last)
			return point >= controls[i].first;
	return false;
}

/* The first code point of a valid text, which is cut off. */
static uint32_t next(struct text *text)
{
	const unsigned char *at = (const unsigned char *)text->at;
	size_t size = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
	uint32_t point = size == 1 ? at[0] : at[0] & (0x7fU >> size);
	for (size_t i = 1; i < size && i < text->length; i++)
		point = point << 6 | (at[i] & 0x3fU);
	*text = text_after(*text, size);
	return point;
}

bool unicode_has_control(struct text text)
{
	while (text.length > 0)
		if (is_control(next(&text)))
			return true;
	return false;
}
