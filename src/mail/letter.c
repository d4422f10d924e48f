/* SPDX-License-Identifier: MIT */
/*
 * Letters are templates with four words to fill in. A site may have its own; what it got wrong is
 * said at the start, not when somebody waits for the mail.
 */
#include "mail/letter.h"

#include <stdio.h>
#include <string.h>

#include "mail/letters.h"
#include "mail/mime.h"

/* The values of a letter's words. */
struct words {
	struct text name; /* with a space before it, so that "Hello{name}," reads well without */
	struct text site;
	struct text link;
	struct text lifetime;
};

static const struct {
	const char *word;
	size_t offset;
} word_rows[] = {
	{ "{name}", offsetof(struct words, name) },
	{ "{site}", offsetof(struct words, site) },
	{ "{link}", offsetof(struct words, link) },
	{ "{lifetime}", offsetof(struct words, lifetime) },
};
#define WORD_COUNT (sizeof(word_rows) / sizeof(word_rows[0]))

/* Which letters have a link, and from which settings it comes. */
struct link_rule {
	const char *letter;
	size_t link;
	size_t lifetime;
};
static const struct link_rule link_rules[] = {
	{ "verify", offsetof(struct settings, links_verify),
		offsetof(struct settings, links_verify_ttl) },
	{ "reset", offsetof(struct settings, links_reset),
		offsetof(struct settings, links_reset_ttl) },
};
#define LINK_RULE_COUNT (sizeof(link_rules) / sizeof(link_rules[0]))

/* text with every `word` replaced by value. Values are never searched again. */
static struct text replace(
	struct arena *arena, struct text text, struct text word, struct text value)
{
	struct text done = TEXT("");
	for (;;) {
		const char *at =
			text.length > 0 ? memmem(text.at, text.length, word.at, word.length) : NULL;
		if (!at)
			return text_format(arena, "%.*s%.*s", TEXT_PRINTF(done), TEXT_PRINTF(text));
		size_t before = (size_t)(at - text.at);
		done = text_format(arena, "%.*s%.*s%.*s", TEXT_PRINTF(done), (int)before, text.at,
			TEXT_PRINTF(value));
		text = text_after(text, before + word.length);
	}
}

static struct text html_escape(struct arena *arena, struct text text)
{
	static const struct {
		char c;
		const char *entity;
	} rows[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" },
		{ '\'', "&#39;" } };
	char *to = arena_alloc(arena, 6 * text.length + 1);
	char *at = to;
	for (size_t i = 0; i < text.length; i++) {
		const char *entity = NULL;
		for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++)
			if (rows[k].c == text.at[i])
				entity = rows[k].entity;
		if (entity)
			at = stpcpy(at, entity);
		else
			*at++ = text.at[i];
	}
	return (struct text){ to, (size_t)(at - to) };
}

/* Fills in all words, from left to right, each value once. */
static struct text fill(
	struct arena *arena, struct text template, const struct words *words, bool html)
{
	struct text done = TEXT("");
	while (template.length > 0) {
		size_t brace = text_find(template, '{');
		struct text value = TEXT("{");
		size_t taken = brace < template.length ? 1 : 0;
		for (size_t i = 0; i < WORD_COUNT; i++) {
			struct text word = text_of(word_rows[i].word);
			if (!text_starts_with(text_after(template, brace), word))
				continue;
			value = *(const struct text *)(const void *)((const char *)words +
								     word_rows[i].offset);
			value = html ? html_escape(arena, value) : value;
			taken = word.length;
		}
		done = text_format(arena, "%.*s%.*s%.*s", TEXT_PRINTF(done), (int)brace,
			template.at, taken > 0 ? (int)value.length : 0,
			value.length > 0 ? value.at : "");
		template = text_after(template, brace + taken);
	}
	return done;
}

/* A file of mail.templates, or the built-in text where there is none. */
static struct text load(const struct settings *settings, struct arena *arena, struct text name,
	const char *ending, const char *builtin)
{
	if (settings->mail_templates[0] == '\0')
		return text_of(builtin);
	FILE *file = fopen(arena_format(arena, "%s/%.*s%s", settings->mail_templates,
				   TEXT_PRINTF(name), ending),
		"re");
	if (!file)
		return text_of(builtin);
	char *octets = arena_alloc(arena, 65536);
	size_t size = fread(octets, 1, 65535, file);
	fclose(file);
	return (struct text){ octets, size };
}

static const struct letter_template *find(struct text name)
{
	for (size_t i = 0; i < letter_template_count; i++)
		if (text_equal(name, text_of(letter_templates[i].name)))
			return &letter_templates[i];
	return NULL;
}

static const struct link_rule *link_rule_of(struct text letter)
{
	for (size_t i = 0; i < LINK_RULE_COUNT; i++)
		if (text_equal(letter, text_of(link_rules[i].letter)))
			return &link_rules[i];
	return NULL;
}

static struct text link_of(const struct settings *settings, struct arena *arena,
	const struct link_rule *rule, struct text token)
{
	const char *link =
		*(const char *const *)(const void *)((const char *)settings + rule->link);
	struct text based =
		replace(arena, text_of(link), TEXT("{base_url}"), text_of(settings->api_base_url));
	return replace(arena, based, TEXT("{token}"), token);
}

/* "24 hours", "1 hour", "30 minutes": the largest unit that comes out even. */
static struct text lifetime_of(
	const struct settings *settings, struct arena *arena, const struct link_rule *rule)
{
	static const struct {
		long seconds;
		const char *name;
	} units[] = { { 86400, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" } };
	long seconds = *(const long *)(const void *)((const char *)settings + rule->lifetime);
	size_t unit = seconds == 86400 ? 1 : 0; /* a day is better said as 24 hours */
	while (seconds % units[unit].seconds != 0)
		unit++;
	long count = seconds / units[unit].seconds;
	return text_format(arena, "%ld %s%s", count, units[unit].name, count == 1 ? "" : "s");
}

static struct text site_of(const struct settings *settings, struct arena *arena)
{
	if (settings->mail_site[0] != '\0')
		return text_of(settings->mail_site);
	struct text url = text_of(settings->api_base_url);
	const char *host = strstr(settings->api_base_url, "://");
	if (host)
		url = text_of(host + 3);
	return text_format(arena, "%.*s", (int)strcspn(url.at, "/:"), url.at);
}

/* "Name <address>" or "address". */
static bool parse_from(const char *from, struct text *name, struct text *address)
{
	struct text text = text_trim(text_of(from));
	size_t open = text_find_last(text, '<');
	*name = TEXT_NONE;
	*address = text;
	if (open < text.length && text.at[text.length - 1] == '>') {
		*name = text_trim((struct text){ text.at, open });
		*address = (struct text){ text.at + open + 1, text.length - open - 2 };
		if (name->length > 1 && name->at[0] == '"' && name->at[name->length - 1] == '"')
			*name = (struct text){ name->at + 1, name->length - 2 };
	}
	return address_is_safe(*address);
}

static bool fill_words(const struct settings *settings, struct arena *arena,
	const struct letter *letter, struct words *words)
{
	const struct link_rule *rule = link_rule_of(letter->template);
	*words = (struct words){ TEXT(""), site_of(settings, arena), TEXT(""), TEXT("") };
	if (letter->full_name.length > 0)
		words->name = text_format(arena, " %.*s", TEXT_PRINTF(letter->full_name));
	if (rule) {
		words->link = link_of(settings, arena, rule, letter->token);
		words->lifetime = lifetime_of(settings, arena, rule);
	}
	return !text_has_control(words->name) && !text_has_control(words->site) &&
	       !text_has_control(words->link);
}

const char *letter_render(const struct settings *settings, struct arena *arena,
	const struct letter *letter, struct message *message)
{
	const struct letter_template *builtin = find(letter->template);
	struct mime_message mime = {
		.id = letter->id, .written_at = letter->written_at, .recipient = letter->recipient
	};
	struct words words;
	if (!builtin)
		return "there is no letter of this name";
	if (!address_is_safe(letter->recipient))
		return "the recipient's address cannot be written to";
	if (!parse_from(settings->mail_from, &mime.sender_name, &mime.sender))
		return "mail.from is no address";
	if (link_rule_of(letter->template) && !text_is_given(letter->token))
		return "the letter has no token";
	if (!fill_words(settings, arena, letter, &words))
		return "a value holds control characters";
	struct text text = load(settings, arena, letter->template, ".txt", builtin->text);
	size_t line = text_find(text, '\n');
	mime.subject = text_trim(fill(arena, (struct text){ text.at, line }, &words, false));
	mime.text = fill(arena, text_after(text, line + 2), &words, false);
	mime.html = fill(arena, load(settings, arena, letter->template, ".html", builtin->html),
		&words, true);
	*message = (struct message){ .name = uuid_text(arena, letter->id),
		.sender = mime.sender,
		.recipient = letter->recipient };
	return mime_write(arena, &mime, &message->content) ? NULL : "a line is too long for mail";
}

static const char *check_link(
	const struct settings *settings, struct arena *arena, const struct link_rule *rule)
{
	const char *template =
		*(const char *const *)(const void *)((const char *)settings + rule->link);
	const char *token = strstr(template, "{token}");
	struct text link = link_of(settings, arena, rule, TEXT("x"));
	if (!token || strstr(token + 1, "{token}"))
		return arena_format(arena, "links.%s must hold {token} once", rule->letter);
	if (!text_starts_with(link, TEXT("http://")) && !text_starts_with(link, TEXT("https://")))
		return arena_format(arena,
			"links.%s must begin with https://, http:// or {base_url}", rule->letter);
	return NULL;
}

/* A template of the site's own: a subject, an empty line, and the link on a line of its own. */
static const char *check_template(
	const struct settings *settings, struct arena *arena, const struct letter_template *builtin)
{
	struct text name = text_of(builtin->name);
	struct text text = load(settings, arena, name, ".txt", builtin->text);
	size_t line = text_find(text, '\n');
	struct text rest = text_after(text, line + 1);
	const char *link = link_rule_of(name) ? strstr(text_string(arena, rest), "\n{link}\n") : "";
	if (line == 0 || rest.length == 0 || rest.at[0] != '\n')
		return arena_format(arena,
			"mail.templates: %s.txt needs a subject in its first line and an empty "
			"second line",
			builtin->name);
	if (!link)
		return arena_format(arena,
			"mail.templates: %s.txt needs {link} on a line of its own", builtin->name);
	return utf8_is_valid(text)
		       ? NULL
		       : arena_format(arena, "mail.templates: %s.txt is not UTF-8", builtin->name);
}

const char *letter_check(const struct settings *settings, struct arena *arena)
{
	struct text name;
	struct text address;
	const char *wrong = NULL;
	if (!parse_from(settings->mail_from, &name, &address))
		wrong = "mail.from must be name@example.com or Name <name@example.com>";
	for (size_t i = 0; !wrong && i < LINK_RULE_COUNT; i++)
		wrong = check_link(settings, arena, &link_rules[i]);
	for (size_t i = 0; !wrong && i < letter_template_count; i++)
		wrong = check_template(settings, arena, &letter_templates[i]);
	return wrong;
}
