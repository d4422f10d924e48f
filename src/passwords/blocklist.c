/* SPDX-License-Identifier: MIT */
#include "passwords/blocklist.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The line that begins at `from`, without its end. */
static struct text line_at(const struct blocklist *blocklist, size_t from)
{
	struct text rest = { blocklist->at + from, blocklist->size - from };
	return (struct text){ rest.at, text_find(rest, '\n') };
}

/* NULL, or which line is the first out of order, and what to do. */
static const char *check_order(const struct blocklist *blocklist, struct arena *errors)
{
	struct text before = TEXT("");
	size_t number = 1;
	for (size_t from = 0; from < blocklist->size; number++) {
		struct text line = line_at(blocklist, from);
		if (text_compare(before, line) > 0)
			return arena_format(errors,
				"line %zu is out of order: LC_ALL=C sort -u makes it right",
				number);
		before = line;
		from += line.length + 1;
	}
	return NULL;
}

static const char *map(struct blocklist *blocklist, int descriptor)
{
	struct stat status;
	if (descriptor < 0 || fstat(descriptor, &status) != 0)
		return strerror(errno);
	if (!S_ISREG(status.st_mode))
		return "it is no regular file";
	if (status.st_size == 0)
		return NULL;
	void *at = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
	if (at == MAP_FAILED)
		return strerror(errno);
	*blocklist = (struct blocklist){ at, (size_t)status.st_size };
	return NULL;
}

const char *blocklist_open(struct blocklist *blocklist, const char *path, struct arena *errors)
{
	*blocklist = (struct blocklist){ NULL, 0 };
	if (path[0] == '\0')
		return NULL;
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe: no waiting */
	const char *wrong = map(blocklist, descriptor);
	if (descriptor >= 0)
		close(descriptor);
	if (!wrong)
		wrong = check_order(blocklist, errors);
	if (!wrong)
		return NULL;
	blocklist_close(blocklist);
	return arena_format(errors, "passwords.blocklist: %s: %s", path, wrong);
}

void blocklist_close(struct blocklist *blocklist)
{
	if (blocklist->at)
		munmap((void *)(uintptr_t)blocklist->at, blocklist->size);
	*blocklist = (struct blocklist){ NULL, 0 };
}

/* Where the line that holds this octet begins. */
static size_t line_start(const struct blocklist *blocklist, size_t at)
{
	struct text before = { blocklist->at, at };
	size_t feed = text_find_last(before, '\n');
	return feed < at ? feed + 1 : 0;
}

bool blocklist_has(const struct blocklist *blocklist, struct text password)
{
	struct arena arena;
	if (!blocklist->at)
		return false;
	arena_init(&arena);
	struct text wanted = text_lower(&arena, password);
	size_t low = 0;
	size_t high = blocklist->size;
	bool found = false;
	while (low < high && !found) {
		size_t start = line_start(blocklist, low + (high - low) / 2);
		struct text line = line_at(blocklist, start);
		int order = text_compare(wanted, line);
		found = order == 0;
		if (order < 0)
			high = start;
		else
			low = start + line.length + 1;
	}
	arena_finish(&arena);
	return found;
}
