/* SPDX-License-Identifier: MIT */
/*
 * The folder of keys. Whoever can put a file there signs tokens for every account, so it has to
 * belong to somebody who is trusted, and to nobody else.
 */
#include "tokens/key_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/trust.h"

const char *key_folder_check(struct arena *arena, const struct stat *status)
{
	const char *wrong = trust_check_mode(arena, status, S_IWGRP | S_IWOTH);
	return wrong || geteuid() == 0 ? wrong : trust_check_owner(arena, status);
}

/* Errors show when the folder is opened. O_NOFOLLOW: what was made a moment ago is no link, unless
 * the owner of the folder above has put one there. */
static void make(struct arena *arena, const char *path)
{
	struct stat above;
	const char *slash = strrchr(path, '/');
	const char *parent = slash ? arena_copy(arena, path, (size_t)(slash - path) + 1) : ".";
	if (mkdir(path, 0700) != 0 || geteuid() != 0)
		return;
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0)
		return;
	if (stat(parent, &above) == 0 && fchown(folder, above.st_uid, above.st_gid) == 0)
		(void)!fchmod(folder, 0700 | (above.st_mode & (S_IRGRP | S_IXGRP)));
	close(folder);
}

int key_folder_open(struct arena *arena, const char *path, struct stat *status, const char **wrong)
{
	make(arena, path);
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0 || fstat(folder, status) != 0)
		*wrong = arena_format(
			arena, "cannot open or make folder %s: %s", path, strerror(errno));
	else if ((*wrong = key_folder_check(arena, status)))
		*wrong = arena_format(arena, "%s: %s", path, *wrong);
	else
		return folder;
	if (folder >= 0)
		close(folder);
	return -1;
}
