/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_TOKENS_KEY_FOLDER_H
#define LATCHKEY_TOKENS_KEY_FOLDER_H

#include <sys/stat.h>

#include "base/arena.h"

/*
 * NULL, or what is wrong with the folder of keys and what to do, in the arena: somebody else may put
 * files into it, by its mode or as its owner. Root looks into the folders of all users, for it is often
 * root who makes a key for the service's user.
 */
__attribute__((warn_unused_result)) const char *key_folder_check(
	struct arena *arena, const struct stat *status);

/*
 * A descriptor of the folder, which is made if it is not there (mode 0700; where root makes it, it is
 * owner's and group's of the folder above, and the group may look if it may above). -1 and what is
 * wrong, in the arena.
 */
__attribute__((warn_unused_result)) int key_folder_open(
	struct arena *arena, const char *path, struct stat *status, const char **wrong);

#endif
