/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_MAIL_LETTERS_H
#define LATCHKEY_MAIL_LETTERS_H

#include <stddef.h>

/* The built-in letters, from src/mail/letters/; the generated table. */
struct letter_template {
	const char *name;
	const char *text; /* the first line is the subject, the second is empty */
	const char *html;
};
extern const struct letter_template letter_templates[];
extern const size_t letter_template_count;

#endif
