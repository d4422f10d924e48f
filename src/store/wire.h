/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_STORE_WIRE_H
#define LATCHKEY_STORE_WIRE_H

#include "store/store.h"

/* When who sends a statement now has waited long enough (monotonic ms). */
int64_t wire_deadline(const struct store *store);

/* Connects to the first host of database.url that takes it, within database.timeout. Nobody else may
 * use the store meanwhile. May wait. False: away, logged. */
__attribute__((warn_unused_result)) bool wire_open(struct store *store);

/* Closes the connection, if there is one. */
void wire_close(struct store *store);

/* Logs what libpq says is wrong with the connection. */
void wire_log(const struct store *store, const char *what);

/* Waits until the socket is ready for `events` (poll) or the deadline (monotonic ms) has passed.
 * Others may have lost the connection meanwhile: false then too. */
__attribute__((warn_unused_result)) bool wire_wait(
	struct store *store, short events, int64_t deadline);

/* Sends what libpq still holds. May wait. False: not in time, or the connection is lost. */
__attribute__((warn_unused_result)) bool wire_flush(struct store *store, int64_t deadline);

/* True where the server has closed an idle connection. What it says on one (a notification, its
 * farewell) is read first: the end shows only behind it. Does not wait. */
__attribute__((warn_unused_result)) bool wire_went_away(const struct store *store);

#endif
