/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_MAIL_TEMPLATE_H
#define LATCHKEY_MAIL_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/text.h"
#include "mail/letters.h"

/* A word in braces, and what stands there in the letter. */
struct word {
	const char *word;
	struct text value;
};

/* The words of a letter, in this order, so that each part of it knows the first so many. */
enum { WORD_SITE, WORD_NAME, WORD_LINK, WORD_LIFETIME, WORD_COUNT };
enum { WORDS_OF_SUBJECT = WORD_NAME, WORDS_WITHOUT_LINK = WORD_LINK };

/* A letter as it is written down. */
struct template
{
	struct text subject;
	struct text text;
	struct text html;
};

/* Fills in the words from left to right. What a value holds is not searched for words; what is no
 * word stays as it is. */
struct text template_fill(
	struct arena *arena, struct text text, const struct word *words, size_t count);

/*
 * A letter from NAME.txt and NAME.html in folder, or the built-in part where there is no such file
 * (or folder is ""). Line ends become LF. Returns NULL, or what is wrong with it: it cannot be
 * read, is not UTF-8, has no subject and empty line, words that it does not know, or (linked) no
 * {link} in both parts, on a line of its own in the text.
 */
__attribute__((warn_unused_result)) const char *template_read(struct arena *arena,
	const char *folder, const struct letter_template *builtin, bool linked,
	struct template *template);

#endif
