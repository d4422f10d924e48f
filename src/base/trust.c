/* SPDX-License-Identifier: MIT */
/*
 * The settings name programs to run and files to write, and keys make tokens: whoever may write
 * either owns the service. So where they come from is looked at before they are read.
 */
#include "base/trust.h"

#include <pwd.h>
#include <unistd.h>

bool trust_owner(uid_t owner)
{
	struct stat program;
	if (owner == 0 || owner == geteuid())
		return true;
	return stat("/proc/self/exe", &program) == 0 && program.st_uid == owner;
}

/* The name, or the number where there is none. */
static const char *user_name(struct arena *arena, uid_t user)
{
	const struct passwd *entry = getpwuid(user);
	return entry ? arena_format(arena, "%s", entry->pw_name)
		     : arena_format(arena, "user %u", (unsigned)user);
}

const char *trust_check_mode(struct arena *arena, const struct stat *status, mode_t writable)
{
	if (!(status->st_mode & writable))
		return NULL;
	return arena_format(arena, "others may write it (mode %04o): chmod %s it",
		(unsigned)status->st_mode & 07777, writable & S_IWGRP ? "go-w" : "o-w");
}

const char *trust_check_owner(struct arena *arena, const struct stat *status)
{
	if (trust_owner(status->st_uid))
		return NULL;
	return arena_format(arena, "it belongs to %s, who is neither root nor %s: chown root it",
		user_name(arena, status->st_uid), user_name(arena, geteuid()));
}
