/* SPDX-License-Identifier: MIT */
/* Each message becomes NAME.eml, with the line ends of the system, for people and tests to read.
 * It has its name only when it is whole. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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

static bool write_lines(FILE *file, struct text content)
{
	for (size_t i = 0; i < content.length; i++)
		if (content.at[i] != '\r' && putc(content.at[i], file) == EOF)
			return false;
	return fflush(file) == 0 && fsync(fileno(file)) == 0;
}

/* errno, or 0. */
static int write_file(const char *path, struct text content)
{
	unlink(path); /* of somebody who was killed */
	int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	FILE *file = descriptor >= 0 ? fdopen(descriptor, "w") : NULL;
	int error = errno;
	if (!file) {
		if (descriptor >= 0)
			close(descriptor);
		return error;
	}
	error = write_lines(file, content) ? 0 : errno;
	fclose(file);
	return error;
}

/* NULL, or why not. A file of that name is the same mail, sent before. */
static const char *store(const char *folder, struct arena *arena, const struct message *message)
{
	const char *path = arena_format(arena, "%s/%.*s.eml", folder, TEXT_PRINTF(message->name));
	const char *temporary = arena_format(arena, "%s.new", path);
	if (text_find(message->name, '/') < message->name.length)
		return "the name is no file name";
	if (access(path, F_OK) == 0)
		return NULL;
	int error = write_file(temporary, message->content);
	if (error == 0 && rename(temporary, path) == 0)
		return NULL;
	error = error ? error : errno;
	unlink(temporary);
	return arena_format(arena, "%s: %s", path, strerror(error));
}

static void send(const struct settings *settings, struct arena *arena,
	const struct message *messages, size_t count, struct delivery_report *reports)
{
	for (size_t i = 0; i < count; i++) {
		const char *wrong = store(settings->mail_directory, arena, &messages[i]);
		reports[i].delivery = wrong ? DELIVERY_RETRY : DELIVERY_SENT;
		reports[i].reason = wrong ? wrong : "";
	}
}

const struct transport transport_directory = {
	.name = "directory",
	.check = check,
	.send = send,
};
