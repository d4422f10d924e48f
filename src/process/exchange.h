/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_EXCHANGE_H
#define LATCHKEY_PROCESS_EXCHANGE_H

#include "base/text.h"
#include "base/waiter.h"

/* One request of a connection: reads, answers and writes it, in a task (connection_serve of
 * connections.h). context: the operations' (struct context), of which the exchange has a copy with an
 * arena of its own. Returns whether the connection is kept. */
bool exchange_serve(void *context, int socket, struct text ahead, const struct waiter *peer);

#endif
