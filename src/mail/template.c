/* SPDX-License-Identifier: MIT */
/* What is between a file that a site has written and a letter that can be sent. */
#include "mail/template.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FILE_MAXIMUM 65536 /* octets */

static const char *const names[WORD_COUNT] = { [WORD_SITE] = "{site}",
	[WORD_NAME] = "{name}",
	[WORD_LINK] = "{link}",
	[WORD_LIFETIME] = "{lifetime}" };

static const struct word *word_at(struct text text, const struct word *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (text_starts_with(text, text_of(words[i].word)))
			return &words[i];
	return NULL;
}

struct text template_fill(
	struct arena *arena, struct text text, const struct word *words, size_t count)
{
	struct text done = TEXT("");
	while (text.length > 0) {
		size_t before = text_find(text, '{');
		struct text rest = text_after(text, before);
		const struct word *word = word_at(rest, words, count);
		struct text value = { rest.at, rest.length > 0 };
		done = text_format(arena, "%.*s%.*s%.*s", TEXT_PRINTF(done), (int)before, text.at,
			TEXT_PRINTF(word ? word->value : value));
		text = text_after(rest, word ? strlen(word->word) : 1);
	}
	return done;
}

static bool is_known(struct text text, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (text_starts_with(text, text_of(names[i])))
			return true;
	return false;
}

/* What looks like a word and is none of the first count; braces alone may be there, as in CSS. */
static struct text unknown_word(struct text text, size_t count)
{
	for (;;) {
		text = text_after(text, text_find(text, '{'));
		if (text.length == 0)
			return TEXT_NONE;
		size_t end = 1;
		while (end < text.length && text.at[end] >= 'a' && text.at[end] <= 'z')
			end++;
		if (end > 1 && end < text.length && text.at[end] == '}' && !is_known(text, count))
			return (struct text){ text.at, end + 1 };
		text = text_after(text, 1);
	}
}

/* Reads a file as it is written on any system: CRLF and LF are the same. */
static const char *read_file(struct arena *arena, const char *path, FILE *file, struct text *text)
{
	char *octets = arena_alloc(arena, FILE_MAXIMUM + 1);
	size_t size = fread(octets, 1, FILE_MAXIMUM + 1, file);
	size_t length = 0;
	if (ferror(file) || size > FILE_MAXIMUM)
		return arena_format(
			arena, "mail.templates: %s cannot be read, or is longer than 64 KiB", path);
	for (size_t i = 0; i < size; i++)
		if (octets[i] != '\r')
			octets[length++] = octets[i];
	if (!utf8_is_valid((struct text){ octets, length }) || memchr(octets, '\0', length))
		return arena_format(arena, "mail.templates: %s is not UTF-8 text", path);
	*text = (struct text){ octets, length };
	return NULL;
}

static const char *load(struct arena *arena, const char *folder, const char *file_name,
	const char *builtin, struct text *text)
{
	const char *path = arena_format(arena, "%s/%s", folder, file_name);
	FILE *file = NULL;
	*text = text_of(builtin);
	if (folder[0] == '\0')
		return NULL;
	file = fopen(path, "re");
	if (!file)
		return errno == ENOENT ? NULL
				       : arena_format(arena, "mail.templates: %s: %s", path,
						 strerror(errno));
	const char *wrong = read_file(arena, path, file, text);
	fclose(file);
	return wrong;
}

/* The subject is the first line, and an empty one follows. */
static bool split(struct text whole, struct template *template)
{
	size_t line = text_find(whole, '\n');
	template->subject = text_trim((struct text){ whole.at, line });
	template->text = text_after(whole, line + 2);
	return template->subject.length > 0 && !text_has_control(template->subject) &&
	       template->text.length > 0 && whole.at[line + 1] == '\n';
}

static bool has_link_line(struct text text)
{
	struct text line;
	while (text_next(&text, '\n', &line))
		if (text_equal(line, TEXT("{link}")))
			return true;
	return false;
}

static const char *check(
	struct arena *arena, const char *name, const struct template *template, bool linked)
{
	size_t known = linked ? WORD_COUNT : WORDS_WITHOUT_LINK;
	struct text unknown = unknown_word(template->subject, WORDS_OF_SUBJECT);
	if (!text_is_given(unknown))
		unknown = unknown_word(template->text, known);
	if (!text_is_given(unknown))
		unknown = unknown_word(template->html, known);
	if (text_is_given(unknown))
		return arena_format(arena,
			"mail.templates: %s: %.*s is not known there: a subject has {site}, text "
			"and HTML have {name} too, and those with a link {link} and {lifetime}",
			name, TEXT_PRINTF(unknown));
	if (linked && !has_link_line(template->text))
		return arena_format(
			arena, "mail.templates: %s.txt needs {link} on a line of its own", name);
	if (linked && !memmem(template->html.at, template->html.length, "{link}", 6))
		return arena_format(arena, "mail.templates: %s.html needs {link}", name);
	return NULL;
}

const char *template_read(struct arena *arena, const char *folder,
	const struct letter_template *builtin, bool linked, struct template *template)
{
	const char *name = builtin->name;
	struct template result;
	struct text text;
	const char *wrong =
		load(arena, folder, arena_format(arena, "%s.txt", name), builtin->text, &text);
	if (!wrong)
		wrong = load(arena, folder, arena_format(arena, "%s.html", name), builtin->html,
			&result.html);
	if (!wrong && !split(text, &result))
		wrong = arena_format(arena,
			"mail.templates: %s.txt needs a subject in its first line, an empty second "
			"line, and text",
			name);
	if (!wrong)
		wrong = check(arena, name, &result, linked);
	if (!wrong)
		*template = result;
	return wrong;
}
