/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_STORE_CONNINFO_H
#define LATCHKEY_STORE_CONNINFO_H

#include "base/arena.h"

/* database.url as libpq understands it: a URI, or keyword=value pairs (libpq documentation, "Connection
 * Strings"). Neither function connects. */

/*
 * NULL, or what is wrong with it: it is empty, libpq cannot read it, or parts of a password would be
 * taken for another part of the URI, and come to stand in messages. The text quotes nothing of it.
 */
__attribute__((warn_unused_result)) const char *conninfo_check(const char *url);

/* The same string as pairs, in the arena, with *** for each value that libpq calls a password; just ***
 * where it cannot be read. "" stays "". */
const char *conninfo_masked(struct arena *arena, const char *url);

#endif
