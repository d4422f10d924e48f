/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_PRIVILEGES_H
#define LATCHKEY_PROCESS_PRIVILEGES_H

#include "base/arena.h"

/* What a process may do, and who may look into it. */

/*
 * Becomes the named user for good: user, its own group and its supplementary groups (initgroups(3)),
 * in place of root's. A process that is this user already stays as it is. Returns NULL, or what is
 * wrong and what to do, in the arena: there is no such user, it is root, or this process is neither
 * root nor that user. Called before any child is forked and before any thread exists.
 */
__attribute__((warn_unused_result)) const char *privileges_drop(
	const char *user, struct arena *arena);

/*
 * Keys and passwords are in this process's memory: from now on it writes no core file, and no other
 * process of the same user may read its memory or trace it (PR_SET_DUMPABLE in prctl(2)). Children
 * inherit both. A change of the user undoes part of it, so it comes after privileges_drop().
 */
void privileges_hide_memory(void);

#endif
