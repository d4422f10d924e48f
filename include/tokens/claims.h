/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_TOKENS_CLAIMS_H
#define LATCHKEY_TOKENS_CLAIMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/settings.h"
#include "base/uuid.h"
#include "tokens/jws.h"

/* What one access token says (RFC 7519, RFC 9068). Times are seconds since 1970. iss, aud and
 * client_id are the same in all tokens: tokens.issuer, tokens.audience and tokens.client_id. */
struct access_claims {
	struct uuid subject; /* sub: the user's id */
	struct uuid session; /* sid */
	struct uuid token; /* jti, random */
	int64_t issued_at; /* iat */
	int64_t expires_at; /* exp: not valid from this second on */
};

/* What a refresh token says. It has no jti: the same session and generation are the same token,
 * octet by octet, so that simultaneous refreshes agree on one successor. */
struct refresh_claims {
	struct uuid subject;
	struct uuid session;
	int64_t generation; /* gen: which token of the session this is, from 0 */
	int64_t issued_at;
	int64_t expires_at;
};

/* Tokens in the arena, signed by the current key. False when OpenSSL fails. */
__attribute__((warn_unused_result)) bool access_token_issue(struct arena *arena,
	const struct keyring *keyring, const struct settings *settings,
	const struct access_claims *claims, struct text *token);
__attribute__((warn_unused_result)) bool refresh_token_issue(struct arena *arena,
	const struct keyring *keyring, const struct settings *settings,
	const struct refresh_claims *claims, struct text *token);

/*
 * True only for a token that this service signed for that use, whose iss (and, in an access token,
 * aud) is that of the settings, that has not expired at `now`, was not issued more than a minute
 * after it and has no nbf after it. Says nothing of revocation.
 */
__attribute__((warn_unused_result)) bool access_token_read(struct arena *arena,
	const struct keyring *keyring, const struct settings *settings, int64_t now,
	struct text token, struct access_claims *claims);
__attribute__((warn_unused_result)) bool refresh_token_read(struct arena *arena,
	const struct keyring *keyring, const struct settings *settings, int64_t now,
	struct text token, struct refresh_claims *claims);

#endif
