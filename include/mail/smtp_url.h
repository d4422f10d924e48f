/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_MAIL_SMTP_URL_H
#define LATCHKEY_MAIL_SMTP_URL_H

#include "base/arena.h"
#include "base/text.h"

/* mail.url taken apart; all strings in the arena, NUL-terminated. */
struct smtp_url {
	const char *host;
	const char *port; /* 587 where there are credentials, else 25, unless it is given */
	const char *user; /* NULL: no credentials */
	const char *password;
};

/* smtp://[user[:password]@]host[:port], user and password percent-encoded (RFC 3986 section 2.1).
 * Returns NULL, or what is wrong and what to do about it. */
__attribute__((warn_unused_result)) const char *smtp_url_parse(
	struct arena *arena, const char *url, struct smtp_url *parsed);

/* The URL with *** in place of its password, in the arena; just *** where it cannot be read, for there
 * the password may stand anywhere. "" stays "". */
const char *smtp_url_masked(struct arena *arena, const char *url);

#endif
