/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_BASE_TRUST_H
#define LATCHKEY_BASE_TRUST_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/arena.h"

/*
 * Whose files this process takes orders from: root's, its own user's (the effective one), and those
 * of the user who owns the program, who could replace it by another anyway. (On a shared host the web
 * server's user may run a program and settings that are its customer's.)
 */
bool trust_owner(uid_t owner);

/* NULL, or what is wrong with a file or folder and what to do, in the arena; the text goes behind
 * "PATH: ". The one: others may write it, by one of these bits (such as S_IWGRP | S_IWOTH). The other: it
 * belongs to a user whom trust_owner() refuses. */
__attribute__((warn_unused_result)) const char *trust_check_mode(
	struct arena *arena, const struct stat *status, mode_t writable);
__attribute__((warn_unused_result)) const char *trust_check_owner(
	struct arena *arena, const struct stat *status);

#endif
