/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_BASE_UUID_H
#define LATCHKEY_BASE_UUID_H

#include <stdbool.h>

#include "base/text.h"

#define UUID_SIZE 16
#define UUID_TEXT_SIZE 37 /* with the NUL */

/* RFC 9562. Octets in network order, as PostgreSQL's binary format has them. */
struct uuid {
	unsigned char octets[UUID_SIZE];
};

/* Version 4: 122 random bits, for names that must not tell their age. */
struct uuid uuid_random(void);

/* Version 7: milliseconds, then 74 random bits. Rows made together lie together. */
struct uuid uuid_ordered(void);

bool uuid_equal(struct uuid a, struct uuid b);

/* Lower-case hexadecimal with hyphens. */
void uuid_print(struct uuid uuid, char text[UUID_TEXT_SIZE]);
struct text uuid_text(struct arena *arena, struct uuid uuid);

/* Takes the form with hyphens, in either case, of any version. */
bool uuid_parse(struct text text, struct uuid *uuid);

#endif
