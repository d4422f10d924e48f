/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_DESK_H
#define LATCHKEY_PROCESS_DESK_H

#include "operations/operation.h"

/*
 * Where one request at a time is read, answered and written. A process has one desk.
 */
struct desk;

/* context is the operations', whose arena and client are the desk's own; it outlives it. Sets the
 * handler of SIGALRM, after which those of stop_prepare() are to be set. NULL when libfcgi cannot
 * start. */
struct desk *desk_open(const struct context *context);
void desk_close(struct desk *desk);

/* Serves a connection and closes it, within http.timeout whatever the peer does. hashes: whether
 * operations may compute a hash here; those that need one answer that the service is busy
 * otherwise. */
void desk_serve(struct desk *desk, int connection, bool hashes);

#endif
