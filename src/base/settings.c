/* SPDX-License-Identifier: MIT */
/*
 * Settings from the table, the file, the environment and the command line. Whatever is wrong is
 * said with its place, and with what would be right: a service that starts with a setting it did
 * not understand is worse than one that does not start.
 */
#include "base/settings.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ini.h"
#include "base/settings_table.h"
#include "base/text.h"

const struct setting_row setting_rows[] = {
#define ROW(section, key, type, standard, minimum, maximum, choices, description)                  \
	{ #section, #key, type, standard, minimum, maximum, choices, description,                  \
		offsetof(struct settings, section##_##key) },
#define STRING(section, key, value, description)                                                   \
	ROW(section, key, SETTING_STRING, value, 0, 0, NULL, description)
#define SECRET(section, key, value, description)                                                   \
	ROW(section, key, SETTING_SECRET, value, 0, 0, NULL, description)
#define INTEGER(section, key, value, minimum, maximum, description)                                \
	ROW(section, key, SETTING_INTEGER, value, minimum, maximum, NULL, description)
#define DURATION(section, key, value, minimum, maximum, description)                               \
	ROW(section, key, SETTING_DURATION, value, minimum, maximum, NULL, description)
#define CHOICE(section, key, value, choices, description)                                          \
	ROW(section, key, SETTING_CHOICE, value, 0, 0, choices, description)
#define RATE(section, key, value, description)                                                     \
	ROW(section, key, SETTING_RATE, value, 0, 0, NULL, description)
#include "base/settings.def"
};
const size_t setting_row_count = sizeof(setting_rows) / sizeof(setting_rows[0]);

/* A load under way. */
struct loader {
	struct arena *arena;
	struct settings settings;
	const char *path;
	const char *wrong; /* the first thing that is; without its place */
	const char **places; /* of each row's value; NULL: the default */
};

static const struct setting_row *find(struct text section, struct text key)
{
	for (size_t i = 0; i < setting_row_count; i++)
		if (text_equal(section, text_of(setting_rows[i].section)) &&
			text_equal(key, text_of(setting_rows[i].key)))
			return &setting_rows[i];
	return NULL;
}

/* How many single changes make one word of the other (Levenshtein); words of 31 at most. */
static size_t distance(struct text a, struct text b)
{
	size_t row[32];
	if (a.length > 31 || b.length > 31)
		return 32;
	for (size_t j = 0; j <= b.length; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.length; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b.length; j++) {
			size_t above = row[j];
			size_t best = diagonal + (a.at[i - 1] != b.at[j - 1]);
			best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
			row[j] = above + 1 < best ? above + 1 : best;
			diagonal = above;
		}
	}
	return row[b.length];
}

static const char *unknown(struct arena *arena, struct text section, struct text key)
{
	const struct setting_row *nearest = NULL;
	size_t nearest_distance = 4;
	bool known_section = false;
	for (size_t i = 0; i < setting_row_count; i++) {
		size_t off = distance(key, text_of(setting_rows[i].key)) +
			     distance(section, text_of(setting_rows[i].section));
		known_section |= text_equal(section, text_of(setting_rows[i].section));
		if (off < nearest_distance) {
			nearest = &setting_rows[i];
			nearest_distance = off;
		}
	}
	const char *what = arena_format(arena, "unknown %s %.*s.%.*s",
		known_section ? "key" : "section or key", TEXT_PRINTF(section), TEXT_PRINTF(key));
	if (!nearest)
		return arena_format(
			arena, "%s; latchkey config --sample shows all there are", what);
	return arena_format(arena, "%s; is it %s.%s?", what, nearest->section, nearest->key);
}

static bool parse_choice(struct text value, const char *choices, int *index)
{
	struct text rest = text_of(choices);
	struct text choice;
	for (int i = 0; text_next(&rest, '|', &choice); i++) {
		if (text_equal(value, choice)) {
			*index = i;
			return true;
		}
	}
	return false;
}

static bool parse_rate(struct text value, struct rate *rate)
{
	struct rate parsed = { 0, 60 };
	long long count;
	size_t slash = text_find(value, '/');
	if (!text_equal(value, TEXT("off"))) {
		if (!text_integer((struct text){ value.at, slash }, &count) || count < 1 ||
			count > 1000000 ||
			!clock_duration(text_after(value, slash + 1), &parsed.seconds) ||
			parsed.seconds < 1)
			return false;
		parsed.count = (long)count;
	}
	*rate = parsed;
	return true;
}

static long automatic(const struct setting_row *row)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	if (cores < 1)
		cores = 1;
	/* looking up the name of the database's host blocks a worker: another one goes on */
	return strcmp(row->key, "workers") == 0 && cores < 2 ? 2 : cores;
}

static bool parse_integer(const struct setting_row *row, struct text value, long *integer)
{
	long long parsed;
	if (text_equal(value, TEXT("auto")) && strcmp(row->standard, "auto") == 0) {
		*integer = automatic(row);
		return true;
	}
	if (!text_integer(value, &parsed) || parsed < row->minimum || parsed > row->maximum)
		return false;
	*integer = (long)parsed;
	return true;
}

/* What a value of the row may be, for the message that one is not. */
static const char *expected(struct arena *arena, const struct setting_row *row)
{
	switch (row->type) {
	case SETTING_INTEGER:
		return arena_format(arena, "a number from %ld to %ld%s", row->minimum, row->maximum,
			strcmp(row->standard, "auto") == 0 ? ", or auto" : "");
	case SETTING_DURATION:
		return arena_format(arena,
			"a duration such as 90s, 15m, 1h or 30d, from %lds to %lds", row->minimum,
			row->maximum);
	case SETTING_CHOICE:
		return arena_format(arena, "one of %s", row->choices);
	case SETTING_RATE:
		return "a rate such as 10/1m, or off";
	default:
		return "one line of text without control characters";
	}
}

static bool parse(struct loader *loader, const struct setting_row *row, struct text value)
{
	void *at = (char *)&loader->settings + row->offset;
	long *integer = at;
	switch (row->type) {
	case SETTING_INTEGER:
		return parse_integer(row, value, integer);
	case SETTING_DURATION:
		return clock_duration(value, integer) && *integer >= row->minimum &&
		       *integer <= row->maximum;
	case SETTING_CHOICE:
		return parse_choice(value, row->choices, at);
	case SETTING_RATE:
		return parse_rate(value, at);
	case SETTING_STRING:
	case SETTING_SECRET:
		break;
	}
	if (text_has_control(value) || !utf8_is_valid(value))
		return false;
	*(const char **)at = text_string(loader->arena, value);
	return true;
}

/* False after noting what is wrong. */
static bool set(struct loader *loader, const char *place, struct text section, struct text key,
	struct text value)
{
	const struct setting_row *row = find(section, key);
	if (!row) {
		loader->wrong = unknown(loader->arena, section, key);
		return false;
	}
	loader->places[row - setting_rows] = place;
	if (parse(loader, row, value))
		return true;
	const char *shown = row->type == SETTING_SECRET
				    ? "the value"
				    : arena_format(loader->arena, "'%.*s'", TEXT_PRINTF(value));
	loader->wrong = arena_format(loader->arena, "%s.%s cannot be %s: it takes %s", row->section,
		row->key, shown, expected(loader->arena, row));
	return false;
}

/* A pair of the file. */
static const char *on_pair(
	void *context, size_t line, struct text section, struct text key, struct text value)
{
	struct loader *loader = context;
	const struct setting_row *row = find(section, key);
	if (row && loader->places[row - setting_rows])
		return arena_format(
			loader->arena, "%s.%s is given a second time", row->section, row->key);
	const char *place = arena_format(loader->arena, "%s:%zu", loader->path, line);
	return set(loader, place, section, key, value) ? NULL : loader->wrong;
}

/* LATCHKEY_HTTP_MAX_BODY is http.max_body: the section is the part up to the first '_'. */
static const char *load_variable(struct loader *loader, const char *variable)
{
	struct text rest = text_after(text_of(variable), strlen("LATCHKEY_"));
	size_t equals = text_find(rest, '=');
	struct text name = text_lower(loader->arena, (struct text){ rest.at, equals });
	size_t underscore = text_find(name, '_');
	static const char *const others[] = { "config", "dialect", "binary" };
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (text_equal(name, text_of(others[i])))
			return NULL;
	if (text_starts_with(name, TEXT("test_")))
		return NULL;
	const char *place = arena_format(loader->arena, "environment variable %.*s",
		(int)(strcspn(variable, "=")), variable);
	if (set(loader, place, (struct text){ name.at, underscore },
		    text_after(name, underscore + 1), text_after(rest, equals + 1)))
		return NULL;
	return arena_format(loader->arena, "%s: %s", place, loader->wrong);
}

static const char *load_override(struct loader *loader, const char *override)
{
	struct text text = text_of(override);
	size_t equals = text_find(text, '=');
	struct text name = { text.at, equals };
	size_t dot = text_find(name, '.');
	if (equals == text.length || dot == equals)
		return arena_format(loader->arena, "-o %s: it takes section.key=value", override);
	const char *place = arena_format(loader->arena, "-o %.*s", TEXT_PRINTF(name));
	if (set(loader, place, (struct text){ name.at, dot }, text_after(name, dot + 1),
		    text_after(text, equals + 1)))
		return NULL;
	return arena_format(loader->arena, "%s: %s", place, loader->wrong);
}

static void complete(struct loader *loader)
{
	struct text base_url = text_of(loader->settings.api_base_url);
	while (base_url.length > 0 && base_url.at[base_url.length - 1] == '/')
		base_url.length--;
	loader->settings.api_base_url = text_string(loader->arena, base_url);
	if (loader->settings.tokens_issuer[0] == '\0')
		loader->settings.tokens_issuer = loader->settings.api_base_url;
	if (loader->settings.tokens_audience[0] == '\0')
		loader->settings.tokens_audience = loader->settings.tokens_issuer;
}

const char *settings_load(struct arena *arena, const char *path, const char *const *overrides,
	size_t override_count, char *const *environment, struct settings *settings)
{
	struct loader loader = { .arena = arena, .path = path };
	const char *wrong = NULL;
	loader.places = arena_alloc(arena, setting_row_count * sizeof(*loader.places));
	for (size_t i = 0; i < setting_row_count; i++)
		if (!parse(&loader, &setting_rows[i], text_of(setting_rows[i].standard)))
			return arena_format(arena, "the default of %s.%s is not valid",
				setting_rows[i].section, setting_rows[i].key);
	if (path)
		wrong = ini_read(arena, path, on_pair, &loader);
	for (; !wrong && environment && *environment; environment++)
		if (text_starts_with(text_of(*environment), TEXT("LATCHKEY_")))
			wrong = load_variable(&loader, *environment);
	for (size_t i = 0; !wrong && i < override_count; i++)
		wrong = load_override(&loader, overrides[i]);
	if (wrong)
		return wrong;
	complete(&loader);
	loader.settings.places = loader.places;
	*settings = loader.settings;
	return NULL;
}
