/* SPDX-License-Identifier: MIT */
/*
 * A list of refused passwords, looked up in one of two ways: a file whose lines are in order is its
 * own index; any other gets a hash table of where its lines begin. Passwords are compared where they
 * are, so that no copy of one is left behind.
 */
#include "passwords/blocklist.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The line that begins at `from`, without its end; *next is where the next begins. */
static struct text line_at(const struct blocklist *blocklist, size_t from, size_t *next)
{
	struct text rest = { blocklist->at + from, blocklist->size - from };
	struct text line = { rest.at, text_find(rest, '\n') };
	*next = from + line.length + 1;
	if (line.length > 0 && line.at[line.length - 1] == '\r')
		line.length--;
	return line;
}

static bool is_in_order(const struct blocklist *blocklist)
{
	struct text before = TEXT("");
	for (size_t from = 0; from < blocklist->size;) {
		struct text line = line_at(blocklist, from, &from);
		if (text_compare_fold(before, line) > 0)
			return false;
		before = line;
	}
	return true;
}

/* FNV-1a over the letters in lower case, folded so that every bit counts in the remainder. */
static size_t place_of(const struct blocklist *blocklist, struct text line)
{
	uint64_t hash = 0xcbf29ce484222325U;
	for (size_t i = 0; i < line.length; i++) {
		unsigned char c = (unsigned char)line.at[i];
		hash = (hash ^ (c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c)) * 0x100000001b3U;
	}
	return (hash ^ hash >> 32) % blocklist->places;
}

static bool find_in_index(const struct blocklist *blocklist, struct text wanted, size_t *place)
{
	size_t next;
	*place = place_of(blocklist, wanted);
	while (blocklist->index[*place] > 0) {
		struct text line = line_at(blocklist, blocklist->index[*place] - 1, &next);
		if (text_equal_fold(line, wanted))
			return true;
		*place = (*place + 1) % blocklist->places;
	}
	return false;
}

/* NULL, or why there is none. A third of the places stays free. */
static const char *make_index(struct blocklist *blocklist)
{
	size_t lines = 1;
	if (blocklist->size >= UINT32_MAX)
		return "a list of 4 GiB must be in lower case and in order: LC_ALL=C sort -u";
	for (size_t i = 0; i < blocklist->size; i++)
		lines += blocklist->at[i] == '\n';
	blocklist->places = lines + lines / 2 + 1;
	blocklist->index = calloc(blocklist->places, sizeof(*blocklist->index));
	if (!blocklist->index)
		return strerror(ENOMEM);
	for (size_t from = 0; from < blocklist->size;) {
		size_t begin = from;
		size_t place;
		struct text line = line_at(blocklist, begin, &from);
		if (!find_in_index(blocklist, line, &place))
			blocklist->index[place] = (uint32_t)begin + 1;
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
	*blocklist = (struct blocklist){ .at = at, .size = (size_t)status.st_size };
	return NULL;
}

const char *blocklist_open(struct blocklist *blocklist, const char *path, struct arena *errors)
{
	*blocklist = (struct blocklist){ .at = NULL };
	if (path[0] == '\0')
		return NULL;
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe: no waiting */
	const char *wrong = map(blocklist, descriptor);
	if (descriptor >= 0)
		close(descriptor);
	if (!wrong && !is_in_order(blocklist))
		wrong = make_index(blocklist);
	if (!wrong)
		return NULL;
	blocklist_close(blocklist);
	return arena_format(errors, "passwords.blocklist: %s: %s", path, wrong);
}

void blocklist_close(struct blocklist *blocklist)
{
	if (blocklist->at)
		munmap((void *)(uintptr_t)blocklist->at, blocklist->size);
	free(blocklist->index);
	*blocklist = (struct blocklist){ .at = NULL };
}

/* Where the line that holds this octet begins. */
static size_t line_start(const struct blocklist *blocklist, size_t at)
{
	struct text before = { blocklist->at, at };
	size_t feed = text_find_last(before, '\n');
	return feed < at ? feed + 1 : 0;
}

static bool find_in_order(const struct blocklist *blocklist, struct text wanted)
{
	size_t low = 0;
	size_t high = blocklist->size;
	while (low < high) {
		size_t start = line_start(blocklist, low + (high - low) / 2);
		size_t next;
		int order = text_compare_fold(wanted, line_at(blocklist, start, &next));
		if (order == 0)
			return true;
		if (order < 0)
			high = start;
		else
			low = next;
	}
	return false;
}

bool blocklist_has(const struct blocklist *blocklist, struct text password)
{
	size_t place;
	return blocklist->index ? find_in_index(blocklist, password, &place)
				: find_in_order(blocklist, password);
}
