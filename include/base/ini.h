/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_BASE_INI_H
#define LATCHKEY_BASE_INI_H

#include "base/arena.h"
#include "base/text.h"

/* Octets that a line may have; room for a connection string with many hosts. */
#define INI_LINE_MAXIMUM 8190

/* Called for each pair, with the number of its line; the texts are valid during the call. NULL, or what
 * is wrong with it. */
typedef const char *ini_pair(
	void *context, size_t line, struct text section, struct text key, struct text value);

/*
 * Reads a file of [section] and key = value lines (or key: value). A line that begins with ; or # is
 * a comment, and so is what stands behind a blank and a ; in others. Blanks around keys and values are
 * no part of them. Returns NULL, or what is wrong with its place ("FILE:LINE: …") in the arena, and
 * stops there: it cannot be opened, others may write it (trust.h), a line is neither of both or is
 * too long, the callback refuses a pair.
 */
__attribute__((warn_unused_result)) const char *ini_read(
	struct arena *arena, const char *path, ini_pair *pair, void *context);

#endif
