/* SPDX-License-Identifier: MIT */
#include "mail/smtp_url.h"

#include <string.h>

#define CREDENTIAL_MAXIMUM 255 /* octets; libesmtp's PLAIN copies into a buffer of this size */

static int digit_value(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* NULL where an escape is broken, or stands for a control character. */
static const char *decode(struct arena *arena, struct text encoded)
{
	char *decoded = arena_alloc(arena, encoded.length + 1);
	size_t used = 0;
	for (size_t i = 0; i < encoded.length; i++) {
		char c = encoded.at[i];
		if (c == '%') {
			int high = i + 2 < encoded.length ? digit_value(encoded.at[i + 1]) : -1;
			int low = high >= 0 ? digit_value(encoded.at[i + 2]) : -1;
			if (low < 0)
				return NULL;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if ((unsigned char)c < 0x20 || c == 0x7f)
			return NULL;
		decoded[used++] = c;
	}
	return used <= CREDENTIAL_MAXIMUM ? decoded : NULL;
}

static const char *parse_credentials(
	struct arena *arena, struct text credentials, struct smtp_url *parsed)
{
	size_t colon = text_find(credentials, ':');
	parsed->user = decode(arena, (struct text){ credentials.at, colon });
	parsed->password = decode(arena, text_after(credentials, colon + 1));
	if (!parsed->user || !parsed->password || parsed->user[0] == '\0')
		return "mail.url: user and password are percent-encoded and have at most 255 "
		       "octets";
	return NULL;
}

/* host[:port]. libesmtp takes the first colon for that before the port. */
static const char *parse_host(struct arena *arena, struct text text, struct smtp_url *parsed)
{
	struct text host = { text.at, text_find(text, ':') };
	text = text_after(text, host.length);
	if (host.length > 0 && host.at[0] == '[')
		return "mail.url: the host is a name or an IPv4 address; give an IPv6 address a "
		       "name in /etc/hosts";
	long long port = parsed->user ? 587 : 25;
	if (text.length > 0 && (text.at[0] != ':' || !text_integer(text_after(text, 1), &port) ||
				       port < 1 || port > 65535))
		return "mail.url: the port is a number from 1 to 65535";
	if (host.length == 0 || text_find(host, '/') < host.length || text_has_control(host) ||
		text_find(host, ' ') < host.length)
		return "mail.url: there is no host: it is smtp://[user[:password]@]host[:port]";
	if (port == 465)
		return "mail.url: port 465 begins with TLS at once, which latchkey does not speak; "
		       "use port 587 (STARTTLS) of the same server, or a mail relay on this "
		       "machine";
	parsed->host = text_string(arena, host);
	parsed->port = arena_format(arena, "%lld", port);
	return NULL;
}

const char *smtp_url_parse(struct arena *arena, const char *url, struct smtp_url *parsed)
{
	struct text rest = text_of(url);
	struct smtp_url result = { 0 };
	const char *wrong = NULL;
	if (text_starts_with(rest, TEXT("smtps:")))
		return "mail.url: smtps begins with TLS at once, which latchkey does not speak; "
		       "use smtp:// and port 587 (STARTTLS) of the same server, or a mail relay on "
		       "this machine";
	if (!text_starts_with(rest, TEXT("smtp://")))
		return "mail.url must be smtp://[user[:password]@]host[:port]";
	rest = text_after(rest, strlen("smtp://"));
	if (rest.length > 0 && rest.at[rest.length - 1] == '/')
		rest.length--;
	size_t at = text_find_last(rest, '@');
	if (at < rest.length) {
		wrong = parse_credentials(arena, (struct text){ rest.at, at }, &result);
		rest = text_after(rest, at + 1);
	}
	if (!wrong)
		wrong = parse_host(arena, rest, &result);
	if (!wrong)
		*parsed = result;
	return wrong;
}

const char *smtp_url_masked(struct arena *arena, const char *url)
{
	struct smtp_url parsed;
	struct text text = text_of(url);
	if (text.length == 0)
		return "";
	if (smtp_url_parse(arena, url, &parsed))
		return "***";
	if (!parsed.password || parsed.password[0] == '\0')
		return url;
	size_t user = strlen("smtp://");
	size_t colon = user + text_find(text_after(text, user), ':');
	return arena_format(arena, "%.*s:***%s", (int)colon, url, url + text_find_last(text, '@'));
}
