/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_MAIL_LETTER_H
#define LATCHKEY_MAIL_LETTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/settings.h"
#include "base/text.h"
#include "base/uuid.h"
#include "mail/transport.h"

/*
 * A letter is a template: its text part in letters/NAME.txt, whose first line is the subject and
 * whose second is empty, and its HTML part in letters/NAME.html. mail.templates may hold a site's
 * own. These words stand for values, which are escaped in the HTML part and never searched for
 * words again:
 *
 *     {site}      mail.site, or the host of api.base_url; the only one that a subject may have
 *     {name}      the full name with a space before it, or nothing: "Hello{name}," reads well both
 *                 ways; nothing too for a name of more than 100 characters
 *     {link}      where the letter has one, on a line of its own in the text
 *     {lifetime}  how long that is valid: "24 hours"
 */
struct letter {
	struct text template; /* "verify", "reset", "changed", "known" */
	struct uuid id; /* becomes the Message-ID: the same for each try */
	int64_t written_at; /* becomes the Date: seconds since 1970 */
	struct text recipient;
	struct text full_name; /* TEXT_NONE: the letter greets without a name */
	struct text token; /* TEXT_NONE: the letter has no link */
};

/*
 * Renders an RFC 5322 message, multipart/alternative with UTF-8 text and HTML, in the arena. The
 * link stands on a line of its own and is never folded. A site's own template that is broken now,
 * as it may be while it is edited, gives way to the built-in one. Returns NULL, or why it cannot
 * be: no such template, a value with a control character, an address that is not safe.
 */
__attribute__((warn_unused_result)) const char *letter_render(const struct settings *settings,
	struct arena *arena, const struct letter *letter, struct message *message);

/* Whether mail.from, mail.site, mail.templates, links.* and api.base_url can be used, and each
 * letter be rendered with the longest values there may be: NULL, or what is wrong, in the arena. */
__attribute__((warn_unused_result)) const char *letter_check(
	const struct settings *settings, struct arena *arena);

#endif
