/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_OPERATIONS_WEAK_H
#define LATCHKEY_OPERATIONS_WEAK_H

#include "operations/operation.h"

/*
 * Passwords that are tried first because of whose they are and where (NIST SP 800-63B section
 * 5.1.1.2, OWASP ASVS 5.0 V6.2.11). Letters count in either case. Each function gives NULL, or what
 * is wrong, for people; NULL always where passwords.weak = allow.
 */

/* What can be told from the password alone: it is on the built-in list, or contains a word of mail.site or
 * of the host of api.base_url. */
const char *weak_anywhere(const struct settings *settings, struct text password);

/* What can be told when the account is known: it contains the local part of the e-mail (of 4 octets or
 * more) or the username (of 3 or more). username may be TEXT_NONE. */
const char *weak_for_account(const struct settings *settings, struct text password,
	struct text email, struct text username);

#endif
