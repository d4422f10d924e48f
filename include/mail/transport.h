/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_MAIL_TRANSPORT_H
#define LATCHKEY_MAIL_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/settings.h"
#include "base/text.h"

/* A message on its way out, rendered. One recipient: nobody sees another's address. */
struct message {
	struct text name; /* unique and stable over retries; fit for a file name */
	struct text sender; /* the bare address of mail.from */
	struct text recipient; /* a bare address, checked again before it is used */
	struct text content; /* RFC 5322, CRLF line ends, ASCII */
};

enum delivery {
	DELIVERY_SENT, /* the other side has taken the responsibility */
	DELIVERY_RETRY, /* not now: 4xx, a lost connection, a full disk */
	DELIVERY_REFUSED, /* never: 5xx for this message or recipient, an address not to be sent */
	/* 5.7.x (RFC 3463): never, or, where the server takes nothing from us at all, not with
	 * these settings. The caller knows which. */
	DELIVERY_NOT_PERMITTED,
};

/* What became of one message. reason is for people and for the log, in the arena; it holds
 * nothing of the message but what the other side said. */
struct delivery_report {
	enum delivery delivery;
	const char *reason;
};

/* Told what became of a message, once for each and as soon as that is known, so that it can be
 * written down before the next one begins. False: no other is to be begun. */
typedef bool delivery_told(void *context, size_t message, const struct delivery_report *report);

/* One message, with what comes before the first, takes at most so many times mail.timeout; then it is
 * given up. Looking a name up and connecting have no such end: have an alarm set. */
#define DELIVERY_STEPS 4

/* A way for mail to leave. Sends count messages in their order. Those that nobody is told of were
 * not begun. */
struct transport {
	const char *name; /* as mail.transport spells it */
	/* NULL, or what is wrong with the settings, in the arena: called once at the start */
	const char *(*check)(const struct settings *settings, struct arena *arena);
	void (*send)(const struct settings *settings, struct arena *arena,
		const struct message *messages, size_t count, delivery_told *told, void *context);
};

/* The transport of the settings. */
const struct transport *transport_of(const struct settings *settings);

extern const struct transport transport_smtp;
extern const struct transport transport_sendmail;
extern const struct transport transport_directory;

/* Message content with the line ends of the system (LF), in the arena. */
struct text system_lines(struct arena *arena, struct text content);

/* What somebody else said as one printable line of at most 200 octets, in the arena. */
const char *delivery_line(struct arena *arena, const char *text);

/* True for an address that may stand in an envelope: one @, no octet that has a meaning in SMTP
 * or a header, 254 octets at most. */
bool address_is_safe(struct text address);

/* "address" or "Name <address>"; the name may be in quotes, and is TEXT_NONE where there is none.
 * False where the address is not safe. Both are parts of from. */
__attribute__((warn_unused_result)) bool address_parse(
	const char *from, struct text *name, struct text *address);

#endif
