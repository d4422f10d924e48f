/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_MAIL_MIME_H
#define LATCHKEY_MAIL_MIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/text.h"
#include "base/uuid.h"

/* A message before it is written down. */
struct mime_message {
	struct uuid id; /* becomes the Message-ID and the boundary */
	int64_t written_at; /* seconds since 1970 */
	struct text sender; /* the bare address */
	struct text sender_name; /* TEXT_NONE: the address alone */
	struct text recipient;
	struct text subject; /* UTF-8 */
	struct text text; /* UTF-8, any line ends */
	struct text html;
};

/*
 * Writes it as RFC 5322 with two alternatives (RFC 2046 section 5.1.4), in the arena: CRLF line
 * ends, encoded words for a subject or name that is not ASCII (RFC 2047), Auto-Submitted (RFC 3834).
 * A part is 7bit, so that its links stay whole, or else quoted-printable: all octets are ASCII, no
 * line is longer than 998 octets, and none that is encoded is longer than 76. False where a header
 * value holds a control character, an address is not ASCII, or a part holds a NUL.
 */
__attribute__((warn_unused_result)) bool mime_write(
	struct arena *arena, const struct mime_message *message, struct text *written);

/* A header value in ASCII: as it is, or in encoded words of at most 75 characters. */
struct text mime_words(struct arena *arena, struct text value);

#endif
