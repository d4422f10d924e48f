/* SPDX-License-Identifier: MIT */
/*
 * Letters are templates with a few words to fill in. What a site got wrong about them is said at
 * the start, not when somebody waits for the mail.
 */
#include "mail/letter.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "mail/mime.h"
#include "mail/template.h"

#define NAME_MAXIMUM 100 /* code points; who has a longer name is greeted without it */
#define SITE_MAXIMUM 100 /* octets, of the site's name and the sender's */
#define LINK_MAXIMUM 800 /* octets: it stands on one line, and escaped in HTML too */

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

static const struct link_rule *link_rule_of(struct text letter)
{
	for (size_t i = 0; i < LINK_RULE_COUNT; i++)
		if (text_equal(letter, text_of(link_rules[i].letter)))
			return &link_rules[i];
	return NULL;
}

static const struct letter_template *builtin_of(struct text name)
{
	for (size_t i = 0; i < letter_template_count; i++)
		if (text_equal(name, text_of(letter_templates[i].name)))
			return &letter_templates[i];
	return NULL;
}

/* True for what mail readers take as one link: ASCII, and nothing that ends it. */
static bool is_plain(struct text text)
{
	for (size_t i = 0; i < text.length; i++)
		if ((unsigned char)text.at[i] <= 0x20 || (unsigned char)text.at[i] >= 0x7f)
			return false;
	return true;
}

static struct text html_escape(struct arena *arena, struct text text)
{
	char *to = arena_alloc(arena, 6 * text.length + 1);
	char *at = to;
	for (size_t i = 0; i < text.length; i++) {
		const char *entity = text.at[i] == '&'    ? "&amp;"
				     : text.at[i] == '<'  ? "&lt;"
				     : text.at[i] == '>'  ? "&gt;"
				     : text.at[i] == '"'  ? "&quot;"
				     : text.at[i] == '\'' ? "&#39;"
							  : NULL;
		if (entity)
			at = stpcpy(at, entity);
		else
			*at++ = text.at[i];
	}
	return (struct text){ to, (size_t)(at - to) };
}

static struct text link_of(const struct settings *settings, struct arena *arena,
	const struct link_rule *rule, struct text token)
{
	const char *link =
		*(const char *const *)(const void *)((const char *)settings + rule->link);
	struct word words[] = { { "{base_url}", text_of(settings->api_base_url) },
		{ "{token}", token } };
	return template_fill(arena, text_of(link), words, 2);
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

static struct text site_of(const struct settings *settings)
{
	const char *host = strstr(settings->api_base_url, "://");
	if (settings->mail_site[0] != '\0')
		return text_of(settings->mail_site);
	host = host ? host + 3 : settings->api_base_url;
	return (struct text){ host, strcspn(host, host[0] == '[' ? "/" : "/:") };
}

static const char *check_from(
	const struct settings *settings, struct text *name, struct text *address)
{
	if (!address_parse(settings->mail_from, name, address))
		return "mail.from must be name@example.com or Name <name@example.com>";
	if (text_has_control(*name) || !utf8_is_valid(*name) || name->length > SITE_MAXIMUM)
		return "mail.from: the name is one line of at most 100 octets of UTF-8";
	return NULL;
}

/* NULL, or which value cannot stand in a letter. */
static const char *find_words(const struct settings *settings, struct arena *arena,
	const struct letter *letter, struct word words[WORD_COUNT])
{
	const struct link_rule *rule = link_rule_of(letter->template);
	struct text site = site_of(settings);
	struct text name = letter->full_name;
	struct text link = rule ? link_of(settings, arena, rule, letter->token) : TEXT("");
	if (text_has_control(site) || !utf8_is_valid(site) || site.length > SITE_MAXIMUM)
		return "mail.site is one line of at most 100 octets of UTF-8";
	if (text_has_control(name) || !utf8_is_valid(name))
		return "the name holds control characters";
	if (rule && letter->token.length == 0)
		return "the letter has no token";
	if (!is_plain(link) || link.length > LINK_MAXIMUM)
		return "the link is not at most 800 octets of ASCII without spaces";
	bool greeted = name.length > 0 && utf8_length(name) <= NAME_MAXIMUM;
	words[WORD_SITE] = (struct word){ "{site}", site };
	words[WORD_NAME] = (struct word){ "{name}",
		greeted ? text_format(arena, " %.*s", TEXT_PRINTF(name)) : TEXT("") };
	words[WORD_LINK] = (struct word){ "{link}", link };
	words[WORD_LIFETIME] =
		(struct word){ "{lifetime}", rule ? lifetime_of(settings, arena, rule) : TEXT("") };
	return NULL;
}

static void fill(struct arena *arena, const struct template *template,
	const struct word words[WORD_COUNT], struct mime_message *mime)
{
	struct word escaped[WORD_COUNT];
	for (size_t i = 0; i < WORD_COUNT; i++)
		escaped[i] = (struct word){ words[i].word, html_escape(arena, words[i].value) };
	mime->subject = template_fill(arena, template->subject, words, WORDS_OF_SUBJECT);
	mime->text = template_fill(arena, template->text, words, WORD_COUNT);
	mime->html = template_fill(arena, template->html, escaped, WORD_COUNT);
}

static const char *render(const struct settings *settings, struct arena *arena,
	const struct letter *letter, const struct template *template, struct message *message)
{
	struct mime_message mime = {
		.id = letter->id, .written_at = letter->written_at, .recipient = letter->recipient
	};
	struct word words[WORD_COUNT];
	struct text content;
	const char *wrong = check_from(settings, &mime.sender_name, &mime.sender);
	if (!wrong && !address_is_safe(letter->recipient))
		wrong = "the recipient's address cannot be written to";
	if (!wrong)
		wrong = find_words(settings, arena, letter, words);
	if (wrong)
		return wrong;
	fill(arena, template, words, &mime);
	if (!mime_write(arena, &mime, &content))
		return "a header would hold a control character";
	*message = (struct message){ .name = uuid_text(arena, letter->id),
		.sender = mime.sender,
		.recipient = letter->recipient,
		.content = content };
	return NULL;
}

const char *letter_render(const struct settings *settings, struct arena *arena,
	const struct letter *letter, struct message *message)
{
	const struct letter_template *builtin = builtin_of(letter->template);
	bool linked = link_rule_of(letter->template) != NULL;
	struct template template;
	if (!builtin)
		return "there is no letter of this name";
	/* a file that is being edited may be broken for a moment: the mail goes out all the same */
	if (template_read(arena, settings->mail_templates, builtin, linked, &template)) {
		const char *wrong = template_read(arena, "", builtin, linked, &template);
		if (wrong)
			return wrong;
	}
	return render(settings, arena, letter, &template, message);
}

static const char *check_link(
	const struct settings *settings, struct arena *arena, const struct link_rule *rule)
{
	const char *link =
		*(const char *const *)(const void *)((const char *)settings + rule->link);
	const char *token = strstr(link, "{token}");
	struct text filled = link_of(settings, arena, rule, TEXT("x"));
	if (!token || strstr(token + 1, "{token}"))
		return arena_format(arena, "links.%s must hold {token} once", rule->letter);
	if (!text_starts_with(filled, TEXT("http://")) &&
		!text_starts_with(filled, TEXT("https://")))
		return arena_format(arena,
			"links.%s must begin with https://, http:// or {base_url}", rule->letter);
	if (!is_plain(filled) || text_find(filled, '{') < filled.length)
		return arena_format(arena,
			"links.%s may hold {base_url}, {token} and ASCII without spaces",
			rule->letter);
	return NULL;
}

static const char *check_base_url(const struct settings *settings)
{
	struct text url = text_of(settings->api_base_url);
	if (!text_starts_with(url, TEXT("http://")) && !text_starts_with(url, TEXT("https://")))
		return "api.base_url must begin with https:// or http://";
	if (text_find(url, '?') < url.length || text_find(url, '#') < url.length)
		return "api.base_url must end with its path: no ? and no #";
	return NULL;
}

/* Reads a letter and renders it with the longest values there can be. */
static const char *check_letter(
	const struct settings *settings, struct arena *arena, const struct letter_template *builtin)
{
	struct text longest = { memset(arena_alloc(arena, NAME_MAXIMUM), '"', NAME_MAXIMUM),
		NAME_MAXIMUM };
	struct letter letter = { .template = text_of(builtin->name),
		.recipient = TEXT("name@example.com"),
		.full_name = longest,
		.token = TEXT("0123456789abcdef0123456789abcdef0123456789a") };
	struct template template;
	struct message unused;
	const char *wrong = template_read(arena, settings->mail_templates, builtin,
		link_rule_of(letter.template) != NULL, &template);
	if (wrong)
		return wrong;
	wrong = render(settings, arena, &letter, &template, &unused);
	return wrong ? arena_format(arena, "the letter %s: %s", builtin->name, wrong) : NULL;
}

const char *letter_check(const struct settings *settings, struct arena *arena)
{
	struct text name;
	struct text address;
	struct stat status;
	const char *folder = settings->mail_templates;
	const char *wrong = check_from(settings, &name, &address);
	if (!wrong && folder[0] != '\0' && stat(folder, &status) != 0)
		wrong = arena_format(arena, "mail.templates: %s: %s", folder, strerror(errno));
	if (!wrong)
		wrong = check_base_url(settings);
	for (size_t i = 0; !wrong && i < LINK_RULE_COUNT; i++)
		wrong = check_link(settings, arena, &link_rules[i]);
	for (size_t i = 0; !wrong && i < letter_template_count; i++)
		wrong = check_letter(settings, arena, &letter_templates[i]);
	return wrong;
}
