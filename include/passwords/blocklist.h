/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PASSWORDS_BLOCKLIST_H
#define LATCHKEY_PASSWORDS_BLOCKLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/text.h"

/* Passwords that are refused because everybody tries them first (NIST SP 800-63B section
 * 5.1.1.2). The file is mapped: a list of millions costs one look through it at the start, and
 * memory that all workers share. Put a new list in its place by renaming; to cut the file that
 * is mapped ends the process. */
struct blocklist {
	const char *at; /* NULL: no list */
	size_t size;
};

/* path "" means no list. Returns NULL, or what is wrong, in the arena; a file that is not sorted
 * by octets is refused with its first line that is out of place. */
__attribute__((warn_unused_result)) const char *blocklist_open(
	struct blocklist *blocklist, const char *path, struct arena *errors);
void blocklist_close(struct blocklist *blocklist);

/* Whether the password, with A-Z as a-z, is a line of the file. */
bool blocklist_has(const struct blocklist *blocklist, struct text password);

#endif
