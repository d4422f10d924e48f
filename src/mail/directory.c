/* SPDX-License-Identifier: MIT */
/*
 * Each message becomes NAME.eml, with the line ends of the system, for people and tests to read. It
 * holds a token that works, so nobody but the service's user may read it, and nothing that somebody
 * else has put into the folder is written through.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mail/transport.h"

static const char *check(const struct settings *settings, struct arena *arena)
{
	struct stat status;
	const char *folder = settings->mail_directory;
	if (folder[0] == '\0')
		return "mail.directory is not set";
	if (stat(folder, &status) != 0 || !S_ISDIR(status.st_mode))
		return arena_format(arena, "mail.directory: %s is no folder", folder);
	if (access(folder, W_OK | X_OK) != 0)
		return arena_format(arena, "mail.directory: %s: %s", folder, strerror(errno));
	return NULL;
}

static bool write_all(int file, struct text content)
{
	while (content.length > 0) {
		ssize_t written = write(file, content.at, content.length);
		if (written < 0 && errno != EINTR)
			return false;
		content = text_after(content, written > 0 ? (size_t)written : 0);
	}
	return fsync(file) == 0;
}

/* A new file; errno says why not. */
static bool write_file(int folder, const char *name, struct text content)
{
	unlinkat(folder, name, 0); /* of a process that was killed */
	int file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (file < 0)
		return false;
	bool done = write_all(file, content);
	int error = errno;
	close(file);
	errno = error;
	return done;
}

/* Gives the message its name once it is whole, and on the disk with it: its row is deleted then. */
static bool put(int folder, struct arena *arena, const char *name, struct text content)
{
	const char *temporary = arena_format(arena, "%s.new", name);
	if (write_file(folder, temporary, content) &&
		renameat(folder, temporary, folder, name) == 0 && fsync(folder) == 0)
		return true;
	int error = errno;
	unlinkat(folder, temporary, 0);
	errno = error;
	return false;
}

/* NULL, or why not. A file of that name is the same mail, sent before. */
static const char *store(int folder, struct arena *arena, const struct message *message)
{
	const char *name = arena_format(arena, "%.*s.eml", TEXT_PRINTF(message->name));
	struct stat status;
	if (text_find(message->name, '/') < message->name.length)
		return "the name is no file name";
	if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
		return S_ISREG(status.st_mode)
			       ? NULL
			       : arena_format(arena, "mail.directory: %s is there, and is no file",
					 name);
	if (errno == ENOENT && put(folder, arena, name, system_lines(arena, message->content)))
		return NULL;
	return arena_format(arena, "mail.directory: %s: %s", name, strerror(errno));
}

static void send(const struct settings *settings, struct arena *arena,
	const struct message *messages, size_t count, delivery_told *told, void *context)
{
	int folder = open(settings->mail_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *missing = arena_format(
		arena, "mail.directory: %s: %s", settings->mail_directory, strerror(errno));
	bool goes_on = true;
	for (size_t i = 0; i < count && goes_on; i++) {
		const char *wrong = folder >= 0 ? store(folder, arena, &messages[i]) : missing;
		struct delivery_report report = { wrong ? DELIVERY_RETRY : DELIVERY_SENT,
			wrong ? wrong : "" };
		goes_on = told(context, i, &report);
	}
	if (folder >= 0)
		close(folder);
}

const struct transport transport_directory = {
	.name = "directory",
	.check = check,
	.send = send,
};
