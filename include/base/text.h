/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_BASE_TEXT_H
#define LATCHKEY_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/*
 * A view of octets that somebody else owns: as long as its owner lives, it does. It may hold
 * any octet, NUL included, and need not end in one. at == NULL means "not given", which is
 * something else than given and empty.
 */
struct text {
	const char *at;
	size_t length; /* octets */
};

#define TEXT(literal) ((struct text){ (literal), sizeof(literal) - 1 })
#define TEXT_NONE ((struct text){ NULL, 0 })
/* for "%.*s" */
#define TEXT_PRINTF(text) (int)(text).length, (text).length > 0 ? (text).at : ""

/* The view of a NUL-terminated string; NULL becomes TEXT_NONE. */
struct text text_of(const char *string);

static inline bool text_is_given(struct text text)
{
	return text.at != NULL;
}

/* Equality, not in constant time: secrets go to secret_equal(). TEXT_NONE equals "". */
bool text_equal(struct text a, struct text b);

/* Equality with A-Z taken as a-z; other octets count as they are. */
bool text_equal_fold(struct text a, struct text b);

/* <0, 0 or >0, by octets, the shorter first among equals. */
int text_compare(struct text a, struct text b);

/* The same with A-Z taken as a-z. */
int text_compare_fold(struct text a, struct text b);

/* Whether the part is somewhere in the text, with A-Z taken as a-z. An empty part is. */
bool text_contains_fold(struct text text, struct text part);

bool text_starts_with(struct text text, struct text prefix);

/* The offset of the first (last) octet that is wanted, or text.length where there is none. */
size_t text_find(struct text text, char wanted);
size_t text_find_last(struct text text, char wanted);

/* text without its first (at most) count octets. */
struct text text_after(struct text text, size_t count);

/* Without spaces, tabs, CR and LF at both ends. */
struct text text_trim(struct text text);

/* Cuts the part before the next separator off *rest; false when nothing is left. */
bool text_next(struct text *rest, char separator, struct text *part);

/* A copy with A-Z as a-z. */
struct text text_lower(struct arena *arena, struct text text);

/* A NUL-terminated copy. A text that holds a NUL is cut there: check before. */
char *text_string(struct arena *arena, struct text text);

/* printf into the arena. What is formatted ends at the first NUL, so texts that may hold one do
 * not go in here. */
__attribute__((format(printf, 2, 3))) struct text text_format(
	struct arena *arena, const char *format, ...);

/* True where there is an octet below 0x20, or 0x7f. */
bool text_has_control(struct text text);

/* A decimal integer, with '-' or not, and nothing else. False where it does not fit. */
bool text_integer(struct text text, long long *value);

/* RFC 3629, strictly: no overlong forms, no surrogates, nothing above U+10FFFF. */
bool utf8_is_valid(struct text text);

/* Code points in a valid text. */
size_t utf8_length(struct text text);

/* RFC 4648 section 5, without padding. */
struct text base64url_encode(struct arena *arena, const void *octets, size_t size);

/* False for anything but the one canonical, unpadded spelling. */
bool base64url_decode(struct arena *arena, struct text encoded, struct text *octets);

#endif
