/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_MAIL_SMTP_DIALOGUE_H
#define LATCHKEY_MAIL_SMTP_DIALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>
/* after those above, on which its declarations depend */
#include <auth-client.h>
#include <libesmtp.h>

#include "base/arena.h"

#define DIALOGUE_LINE 256 /* of an answer; what is longer is cut */

/* A message is over: the server has answered all that there is to answer about it. */
typedef void smtp_dialogue_over(void *context, smtp_message_t message);

/* What was heard of a session, where libesmtp does not tell. Made by the caller, zeroed but for
 * tls, login, port, deadline, over and context. */
struct smtp_dialogue {
	int tls; /* as mail.tls; required where there is a log-in */
	bool login; /* nothing may be sent before it has succeeded */
	const char *port; /* of the server, by which its connection is known */
	int64_t deadline; /* monotonic ms: what is said later is not waited for */
	bool stop; /* no further message is begun */
	smtp_dialogue_over *over;
	void *context;

	bool logged_in;
	bool unauthenticated; /* there was mail to send and no log-in */
	bool no_starttls;
	bool asked_tls; /* the next answer is that to STARTTLS */
	bool injected; /* there was more than that answer: it would count as said under TLS */
	bool late; /* the deadline has passed */
	bool offered_text; /* by DATA; a server that has CHUNKING (RFC 3030) gets it without */
	bool asked_text; /* the server has asked for it (354) */
	bool cut; /* by us, for one of these: what is answered after it is not believed */
	const char *certificate; /* what is wrong with it, or NULL */
	int connection; /* -1: there is none, or it is not known */
	char line[DIALOGUE_LINE]; /* the answer that is being read */
	size_t length;
	char refusal[DIALOGUE_LINE]; /* the last answer, where it was no success */
};

/*
 * How TLS is to be: version 1.2; where it is required, with a certificate of the host (a name or
 * an address) by an authority in ca_file ("": the system's). Where it is not, any encryption is
 * better than none (RFC 7435). dialogue may be NULL. NULL where ca_file cannot be used; else for
 * SSL_CTX_free().
 */
SSL_CTX *smtp_dialogue_tls(
	struct smtp_dialogue *dialogue, const char *ca_file, const char *host, int tls);

/* Listens to the session that is about to start. The dialogue outlives it. */
__attribute__((warn_unused_result)) bool smtp_dialogue_attach(
	struct smtp_dialogue *dialogue, smtp_session_t session, SSL_CTX *tls);

/* Why what the server gave no answer to was not sent: one printable line, in the arena. */
const char *smtp_dialogue_reason(struct arena *arena, const struct smtp_dialogue *dialogue);

#endif
