/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/ini.h"
#include "base/settings_table.h"
#include "base/text.h"

#define COLUMNS 90

/* Who has no mask is shown as nothing but secret. */
static void print_secret(const struct setting_row *row, const struct settings_mask *masks,
	const char *value, FILE *to)
{
	struct arena arena;
	const char *shown = value[0] ? "***" : "";
	arena_init(&arena);
	for (; masks->section; masks++)
		if (strcmp(masks->section, row->section) == 0 && strcmp(masks->key, row->key) == 0)
			shown = masks->mask(&arena, value);
	fputs(shown, to);
	arena_finish(&arena);
}

static void print_choice(const char *choices, int index, FILE *to)
{
	struct text rest = text_of(choices);
	struct text choice = TEXT("");
	for (int i = 0; i <= index; i++)
		if (!text_next(&rest, '|', &choice))
			return;
	fprintf(to, "%.*s", TEXT_PRINTF(choice));
}

static void print_value(const struct settings *settings, const struct setting_row *row,
	const struct settings_mask *masks, FILE *to)
{
	const void *at = (const char *)settings + row->offset;
	const struct rate *rate = at;
	switch (row->type) {
	case SETTING_STRING:
		fputs(*(const char *const *)at, to);
		break;
	case SETTING_SECRET:
		print_secret(row, masks, *(const char *const *)at, to);
		break;
	case SETTING_INTEGER:
		fprintf(to, "%ld", *(const long *)at);
		break;
	case SETTING_DURATION:
		fprintf(to, "%lds", *(const long *)at);
		break;
	case SETTING_CHOICE:
		print_choice(row->choices, *(const int *)at, to);
		break;
	case SETTING_RATE:
		if (rate->count == 0)
			fputs("off", to);
		else
			fprintf(to, "%ld/%lds", rate->count, rate->seconds);
		break;
	}
}

/* The heading of a section before its first row. */
static void print_section(size_t i, FILE *to)
{
	if (i == 0 || strcmp(setting_rows[i].section, setting_rows[i - 1].section) != 0)
		fprintf(to, "%s[%s]\n", i == 0 ? "" : "\n", setting_rows[i].section);
}

void settings_print(const struct settings *settings, const struct settings_mask *masks, FILE *to)
{
	for (size_t i = 0; i < setting_row_count; i++) {
		print_section(i, to);
		fprintf(to, "%s = ", setting_rows[i].key);
		print_value(settings, &setting_rows[i], masks, to);
		fputc('\n', to);
	}
}

/* The text as comment lines, broken between words. */
static void print_comment(const char *text, FILE *to)
{
	size_t column = 0;
	struct text rest = text_of(text);
	struct text word;
	while (text_next(&rest, ' ', &word)) {
		if (column > 0 && column + 1 + word.length > COLUMNS) {
			fputc('\n', to);
			column = 0;
		}
		column +=
			(size_t)fprintf(to, "%s%.*s", column == 0 ? "; " : " ", TEXT_PRINTF(word));
	}
	fputc('\n', to);
}

static void print_range(const struct setting_row *row, FILE *to)
{
	if (row->type == SETTING_INTEGER)
		fprintf(to, "; %ld to %ld\n", row->minimum, row->maximum);
	else if (row->type == SETTING_DURATION)
		fprintf(to, "; %lds to %lds\n", row->minimum, row->maximum);
	else if (row->type == SETTING_CHOICE)
		fprintf(to, "; one of %s\n", row->choices);
	else if (row->type == SETTING_RATE)
		fprintf(to, "; count/duration, or off\n");
}

void settings_print_sample(FILE *to)
{
	fprintf(to,
		"; Settings of latchkey. What is commented out shows its default. A line has at "
		"most\n"
		"; %d octets, and a value ends before \" ;\". The environment "
		"(LATCHKEY_SECTION_KEY) and\n"
		"; -o section.key=value go before what stands here.\n\n",
		INI_LINE_MAXIMUM);
	for (size_t i = 0; i < setting_row_count; i++) {
		const struct setting_row *row = &setting_rows[i];
		print_section(i, to);
		print_comment(row->description, to);
		print_range(row, to);
		fprintf(to, ";%s = %s\n\n", row->key, row->standard);
	}
}
