/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PASSWORDS_BLOCKLIST_H
#define LATCHKEY_PASSWORDS_BLOCKLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/text.h"

/*
 * Passwords that are refused because everybody tries them first (NIST SP 800-63B section
 * 5.1.1.2). The file is mapped, so all processes share its memory. Lines that are in order (in lower
 * case, LC_ALL=C sort) are searched as they are, and cost nothing but one look through them at the
 * start; for others an index of about six octets a line is made, which the processes share too.
 * Put a new list in the place of the old by renaming; to cut the file that is mapped ends the
 * process.
 */
struct blocklist {
	const char *at; /* NULL: no list */
	size_t size;
	uint32_t *index; /* by hash, where a line begins, plus one; NULL: the lines are in order */
	size_t places; /* of the index */
};

/* The list that is built in: the 8,479 of 8 characters or more in src/passwords/common.txt. */
extern const struct blocklist blocklist_common;

/* path "" means no list. Lines end with LF or CR LF. Returns NULL, or what is wrong, in the arena. */
__attribute__((warn_unused_result)) const char *blocklist_open(
	struct blocklist *blocklist, const char *path, struct arena *errors);
void blocklist_close(struct blocklist *blocklist);

/* Whether the password is a line of the list, with A-Z taken as a-z in both. */
bool blocklist_has(const struct blocklist *blocklist, struct text password);

#endif
