/* SPDX-License-Identifier: MIT */
/*
 * Weak passwords. The rules are few and each has its reason: what everybody tries, and what an
 * attacker knows of the account and the site. There are no composition rules: they make passwords
 * worse (NIST SP 800-63B section 5.1.1.2).
 */
#include "operations/weak.h"

#include <string.h>

#define LOCAL_PART_MINIMUM 4
#define USERNAME_MINIMUM 3
#define SITE_WORD_MINIMUM 4

/* Labels that name what a host does, and not the site. */
static bool names_a_service(struct text label)
{
	static const char *const services[] = { "account", "accounts", "auth", "login" };
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (text_equal_fold(label, text_of(services[i])))
			return true;
	return false;
}

/* Whether the password contains a word of the name; of a host name, a label but for the last. */
static bool contains_word(struct text password, struct text name)
{
	bool host = text_find(name, '.') < name.length && text_find(name, ' ') == name.length;
	struct text last = host ? text_after(name, text_find_last(name, '.') + 1) : TEXT_NONE;
	struct text word;
	while (text_next(&name, host ? '.' : ' ', &word)) {
		bool counts = utf8_length(word) >= SITE_WORD_MINIMUM && word.at != last.at &&
			      !(host && names_a_service(word));
		if (counts && text_contains_fold(password, word))
			return true;
	}
	return false;
}

/* The host of a URL that has been checked: between "://" and the port or path. */
static struct text host_of(const char *url)
{
	const char *mark = strstr(url, "://");
	const char *host = mark ? mark + 3 : url;
	return (struct text){ host, strcspn(host, ":/") };
}

const char *weak_anywhere(const struct settings *settings, struct text password)
{
	if (settings->passwords_weak == WEAK_ALLOW)
		return NULL;
	if (blocklist_has(&blocklist_common, password))
		return "This password is too common. Choose another.";
	if (contains_word(password, text_of(settings->mail_site)) ||
		contains_word(password, host_of(settings->api_base_url)))
		return "Do not use the name of this site in the password.";
	return NULL;
}

static bool contains(struct text password, struct text name, size_t minimum)
{
	return name.length >= minimum && text_contains_fold(password, name);
}

const char *weak_for_account(const struct settings *settings, struct text password,
	struct text email, struct text username)
{
	struct text local_part = { email.at, text_find(email, '@') };
	if (settings->passwords_weak == WEAK_ALLOW)
		return NULL;
	if (contains(password, local_part, LOCAL_PART_MINIMUM))
		return "Do not use your email address in the password.";
	if (contains(password, username, USERNAME_MINIMUM))
		return "Do not use your username in the password.";
	return NULL;
}
