/* SPDX-License-Identifier: MIT */
/*
 * The service needs no rights but those of an ordinary user. Where root has started it, to make a
 * socket that only root can make, this room gives root's rights up.
 */
#include "process/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Whether all three user ids are this one: a saved one that is root's would bring root back. */
static bool is_wholly(uid_t user)
{
	uid_t real, effective, saved;
	return getresuid(&real, &effective, &saved) == 0 && real == user && effective == user &&
	       saved == user;
}

/* Groups first: only root may change them. */
static bool become(const struct passwd *entry)
{
	return initgroups(entry->pw_name, entry->pw_gid) == 0 &&
	       setresgid(entry->pw_gid, entry->pw_gid, entry->pw_gid) == 0 &&
	       setresuid(entry->pw_uid, entry->pw_uid, entry->pw_uid) == 0 &&
	       is_wholly(entry->pw_uid) && setuid(0) != 0;
}

const char *privileges_drop(const char *user, struct arena *arena)
{
	errno = 0;
	const struct passwd *entry = getpwnam(user);
	if (!entry)
		return arena_format(arena, "process.user: there is no user %s%s%s", user,
			errno ? ": " : "", errno ? strerror(errno) : "");
	if (entry->pw_uid == 0)
		return arena_format(arena,
			"process.user: %s is root; name an ordinary user, such as one that "
			"adduser --system makes",
			user);
	if (is_wholly(entry->pw_uid))
		return NULL;
	if (geteuid() != 0)
		return arena_format(arena,
			"process.user: only root can become %s; start latchkey as root or as %s",
			user, user);
	if (!become(entry))
		return arena_format(
			arena, "process.user: cannot become %s: %s", user, strerror(errno));
	return NULL;
}

void privileges_hide_memory(void)
{
	const struct rlimit none = { 0, 0 };
	/* neither can fail with these arguments, and neither is worth a service that does not start */
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
