/* SPDX-License-Identifier: MIT */
/*
 * What values must look like. Rules are narrow where a value is compared or sent on (e-mail,
 * username) and wide where it is only kept (names, passwords: NIST SP 800-63B section 5.1.1.2
 * wants no composition rules).
 */
#include "operations/values.h"

#include <string.h>

#include "base/unicode.h"
#include "operations/weak.h"

#define EMAIL_LOCAL_OCTETS 64
#define LABEL_OCTETS 63

const struct value_rule value_rules[VALUE_KIND_COUNT] = {
	[VALUE_EMAIL] = { .octets = 254, .format = "email" },
	[VALUE_USERNAME] = { .octets = 150 },
	[VALUE_LOGIN_NAME] = { .octets = 254 },
	[VALUE_PASSWORD] = { .octets = 512, .format = "password" },
	[VALUE_NEW_PASSWORD] = { .octets = 512, .characters = 128, .format = "password" },
	[VALUE_NAME] = { .octets = 800, .characters = 200 },
	[VALUE_TOKEN] = { .octets = JWS_MAXIMUM },
};

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* RFC 5321 section 4.1.2: Dot-string, without the quoted form. */
static bool local_part_is_valid(struct text local)
{
	if (local.length == 0 || local.length > EMAIL_LOCAL_OCTETS)
		return false;
	char before = '.';
	for (size_t i = 0; i < local.length; i++) {
		char c = local.at[i];
		if (c == '.' ? before == '.'
			     : c == '\0' ||
					(!is_alphanumeric(c) && !strchr("!#$%&'*+-/=?^_`{|}~", c)))
			return false;
		before = c;
	}
	return before != '.';
}

/* RFC 1035 section 2.3.1 as RFC 1123 section 2.1 widened it: letters, digits, inner hyphens. */
static bool label_is_valid(struct text label)
{
	if (label.length == 0 || label.length > LABEL_OCTETS)
		return false;
	for (size_t i = 0; i < label.length; i++)
		if (!is_alphanumeric(label.at[i]) && label.at[i] != '-')
			return false;
	return label.at[0] != '-' && label.at[label.length - 1] != '-';
}

static bool domain_is_valid(struct text domain)
{
	size_t labels = 0;
	for (;;) {
		size_t dot = text_find(domain, '.');
		if (!label_is_valid((struct text){ domain.at, dot }))
			return false;
		labels++;
		if (dot == domain.length)
			return labels > 1;
		domain = text_after(domain, dot + 1);
	}
}

static const char *check_email(const struct context *context, struct text value)
{
	(void)context;
	size_t at = text_find(value, '@');
	if (at == value.length || !local_part_is_valid((struct text){ value.at, at }) ||
		!domain_is_valid(text_after(value, at + 1)))
		return "Enter a valid email address.";
	return NULL;
}

static const char *check_username(const struct context *context, struct text value)
{
	(void)context;
	for (size_t i = 0; i < value.length; i++)
		if (value.at[i] == '\0' ||
			(!is_alphanumeric(value.at[i]) && !strchr("@.+-_", value.at[i])))
			return "Use letters, digits and @ . + - _ only.";
	return NULL;
}

static const char *check_new_password(const struct context *context, struct text value)
{
	if ((long)utf8_length(value) < context->settings->passwords_min_length)
		return arena_format(context->arena, "Use at least %ld characters.",
			context->settings->passwords_min_length);
	if (blocklist_has(context->blocklist, value))
		return "This password is too common. Choose another.";
	return weak_anywhere(context->settings, value);
}

static const char *check_name(const struct context *context, struct text value)
{
	(void)context;
	if (unicode_has_control(value))
		return "Control characters and direction marks are not allowed.";
	if (text_trim(value).length == 0)
		return "This field may not be blank.";
	return NULL;
}

typedef const char *value_checker(const struct context *context, struct text value);

static value_checker *const checkers[VALUE_KIND_COUNT] = {
	[VALUE_EMAIL] = check_email,
	[VALUE_USERNAME] = check_username,
	[VALUE_NEW_PASSWORD] = check_new_password,
	[VALUE_NAME] = check_name,
};

const char *value_check(const struct context *context, enum value_kind kind, struct text value)
{
	const struct value_rule *rule = &value_rules[kind];
	if (memchr(value.at, '\0', value.length))
		return "Null characters are not allowed.";
	if (value.length > rule->octets)
		return arena_format(context->arena, "Use at most %zu octets.", rule->octets);
	if (rule->characters > 0 && utf8_length(value) > rule->characters)
		return arena_format(
			context->arena, "Use at most %zu characters.", rule->characters);
	return checkers[kind] ? checkers[kind](context, value) : NULL;
}

void value_names(struct arena *arena, struct text *full_name, struct text *first_name,
	struct text *last_name)
{
	if (full_name->length > 0 && first_name->length == 0 && last_name->length == 0) {
		struct text whole = text_trim(*full_name);
		size_t space = text_find_last(whole, ' ');
		*first_name = text_trim((struct text){ whole.at, space });
		*last_name = space < whole.length ? text_after(whole, space + 1) : TEXT("");
	} else if (full_name->length == 0 && (first_name->length > 0 || last_name->length > 0)) {
		*full_name = text_trim(text_format(
			arena, "%.*s %.*s", TEXT_PRINTF(*first_name), TEXT_PRINTF(*last_name)));
	}
}

struct text value_folded(struct arena *arena, struct text name)
{
	return text_lower(arena, name);
}
