/* SPDX-License-Identifier: MIT */
/*
 * The settings' file, line by line. libinih would do but for its lines of at most 198 octets, which
 * a connection string with several hosts exceeds.
 */
#include "base/ini.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/secret.h"
#include "base/trust.h"

#define BYTE_ORDER_MARK TEXT("\xef\xbb\xbf")

struct reader {
	struct arena *arena;
	FILE *file;
	size_t line; /* the number of the one that was read last */
	struct text section;
	char octets[INI_LINE_MAXIMUM];
};

enum line { LINE_READ, LINE_TOO_LONG, LINE_END };

/* The next line, without its line feed. */
static enum line read_line(struct reader *reader, struct text *line)
{
	size_t length = 0;
	int octet;
	reader->line++;
	while ((octet = getc_unlocked(reader->file)) != EOF && octet != '\n') {
		if (length == sizeof(reader->octets))
			return LINE_TOO_LONG;
		reader->octets[length++] = (char)octet;
	}
	*line = (struct text){ reader->octets, length };
	return length == 0 && octet == EOF ? LINE_END : LINE_READ;
}

/* Up to the first blank with a ; behind it. */
static struct text without_comment(struct text line)
{
	for (size_t i = 1; i < line.length; i++)
		if (line.at[i] == ';' && (line.at[i - 1] == ' ' || line.at[i - 1] == '\t'))
			return (struct text){ line.at, i };
	return line;
}

static const char *read_section(struct reader *reader, struct text line)
{
	size_t end = text_find(line, ']');
	if (end == line.length)
		return "there is no ] at the end of [section";
	const char *name = arena_copy(reader->arena, line.at + 1, end - 1);
	reader->section = (struct text){ name, end - 1 };
	return NULL;
}

/* NULL, or what is wrong with the line, without its place. */
static const char *take_line(struct reader *reader, struct text line, ini_pair *pair, void *context)
{
	line = text_trim(line);
	if (line.length == 0 || line.at[0] == ';' || line.at[0] == '#')
		return NULL;
	if (line.at[0] == '[')
		return read_section(reader, line);
	line = without_comment(line);
	size_t equals = text_find(line, '=');
	size_t colon = text_find(line, ':');
	size_t end = equals < colon ? equals : colon;
	if (end == line.length)
		return "this is neither [section] nor key = value";
	return pair(context, reader->line, reader->section,
		text_trim((struct text){ line.at, end }), text_trim(text_after(line, end + 1)));
}

static const char *read_lines(struct reader *reader, ini_pair *pair, void *context)
{
	struct text line;
	for (;;) {
		switch (read_line(reader, &line)) {
		case LINE_END:
			return ferror(reader->file) ? strerror(errno) : NULL;
		case LINE_TOO_LONG:
			return arena_format(reader->arena, "the line is longer than %d octets",
				INI_LINE_MAXIMUM);
		case LINE_READ:
			break;
		}
		if (reader->line == 1 && text_starts_with(line, BYTE_ORDER_MARK))
			line = text_after(line, BYTE_ORDER_MARK.length);
		const char *wrong = take_line(reader, line, pair, context);
		if (wrong)
			return wrong;
	}
}

const char *ini_read(struct arena *arena, const char *path, ini_pair *pair, void *context)
{
	struct reader reader = { .arena = arena, .section = TEXT("") };
	struct stat status;
	const char *wrong = NULL;
	reader.file = fopen(path, "re");
	if (!reader.file || fstat(fileno(reader.file), &status) != 0) {
		wrong = arena_format(arena, "cannot read %s: %s", path, strerror(errno));
		goto out;
	}
	/* what others may write to a pipe or a device is no file that stays */
	if (S_ISREG(status.st_mode))
		wrong = trust_check_mode(arena, &status, S_IWOTH);
	if (S_ISREG(status.st_mode) && !wrong)
		wrong = trust_check_owner(arena, &status);
	if (wrong) {
		wrong = arena_format(arena, "%s: %s", path, wrong);
		goto out;
	}
	wrong = read_lines(&reader, pair, context);
	if (wrong)
		wrong = arena_format(arena, "%s:%zu: %s", path, reader.line, wrong);
out:
	if (reader.file)
		fclose(reader.file);
	secret_cleanse(reader.octets, sizeof(reader.octets));
	return wrong;
}
