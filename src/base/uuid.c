/* SPDX-License-Identifier: MIT */
#include "base/uuid.h"

#include <string.h>

#include "base/clock.h"
#include "base/secret.h"

static void mark(struct uuid *uuid, unsigned version)
{
	uuid->octets[6] = (unsigned char)((uuid->octets[6] & 0x0f) | version << 4);
	uuid->octets[8] = (unsigned char)((uuid->octets[8] & 0x3f) | 0x80);
}

struct uuid uuid_random(void)
{
	struct uuid uuid;
	secret_random(uuid.octets, UUID_SIZE);
	mark(&uuid, 4);
	return uuid;
}

struct uuid uuid_ordered(void)
{
	struct uuid uuid;
	uint64_t now = (uint64_t)clock_now_ms();
	secret_random(uuid.octets, UUID_SIZE);
	for (int i = 0; i < 6; i++)
		uuid.octets[i] = (unsigned char)(now >> (40 - 8 * i));
	mark(&uuid, 7);
	return uuid;
}

bool uuid_equal(struct uuid a, struct uuid b)
{
	return memcmp(a.octets, b.octets, UUID_SIZE) == 0;
}

static bool hyphen_before(int octet)
{
	return octet == 4 || octet == 6 || octet == 8 || octet == 10;
}

void uuid_print(struct uuid uuid, char text[UUID_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	for (int i = 0; i < UUID_SIZE; i++) {
		if (hyphen_before(i))
			*text++ = '-';
		*text++ = digits[uuid.octets[i] >> 4];
		*text++ = digits[uuid.octets[i] & 0xf];
	}
	*text = '\0';
}

struct text uuid_text(struct arena *arena, struct uuid uuid)
{
	char text[UUID_TEXT_SIZE];
	uuid_print(uuid, text);
	return (struct text){ arena_copy(arena, text, UUID_TEXT_SIZE - 1), UUID_TEXT_SIZE - 1 };
}

static int digit_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

bool uuid_parse(struct text text, struct uuid *uuid)
{
	struct uuid parsed;
	const char *at = text.at;
	if (text.length != UUID_TEXT_SIZE - 1)
		return false;
	for (int i = 0; i < UUID_SIZE; i++) {
		if (hyphen_before(i) && *at++ != '-')
			return false;
		int high = digit_value(*at++);
		int low = digit_value(*at++);
		if (high < 0 || low < 0)
			return false;
		parsed.octets[i] = (unsigned char)(high << 4 | low);
	}
	*uuid = parsed;
	return true;
}
