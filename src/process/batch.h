/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_BATCH_H
#define LATCHKEY_PROCESS_BATCH_H

#include "mail/transport.h"
#include "process/courier.h"
#include "store/statements.h"

/* The mails of one claim. The caller's storage; everything else is in the courier's arena. */
struct batch {
	struct courier *courier;
	struct uuid claim;
	int64_t leased_at; /* monotonic ms: its lease has not begun before */
	const struct outbox_claim_row *rows;
	size_t row_count;
	bool done[COURIER_BATCH]; /* of each row: what became of it was written down, or noted */
	struct message messages[COURIER_BATCH];
	size_t row_of[COURIER_BATCH]; /* of each message */
	size_t count; /* of messages */
};

/* How long a claim holds, in seconds: longer than one mail can take, what is written down about it
 * included. */
long batch_lease(const struct courier *courier);

/* Whether there is time for another mail before the lease ends; it is renewed for those that are left
 * where it must be. Waits for the database then. */
bool batch_is_held(struct batch *batch);

/* Has the process ended (SIGALRM) before the lease ends, until alarm(0). */
void batch_watch(const struct batch *batch);

/* Writes down what became of a row's mail, or that it never can be sent. Waits for the database. */
void batch_settle(struct batch *batch, size_t row, const struct delivery_report *report);
void batch_fail(struct batch *batch, size_t row, const char *reason);

/* Gives back what nothing became of; what is out has been settled before. Waits for the database. */
void batch_release(struct batch *batch);

/* The id of a row's mail as text, for the log. */
const char *batch_id(const struct batch *batch, size_t row);

#endif
