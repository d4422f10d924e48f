/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_DESK_H
#define LATCHKEY_PROCESS_DESK_H

#include "operations/operation.h"

/*
 * Where one request at a time is read, answered and written. A process may have several, of which one
 * is at work.
 */
struct desk;

/* context is the operations', whose arena and client are the desk's own; it outlives it. Sets the
 * handler of SIGALRM, after which those of stop_prepare() are to be set. NULL when libfcgi cannot
 * start. */
struct desk *desk_open(const struct context *context);
void desk_close(struct desk *desk);

/* Serves one request of a connection, within http.timeout whatever the peer does. hashes: whether
 * operations may compute a hash here; those that need one answer that the service is busy
 * otherwise. Returns the connection where it is kept for another request, the caller's again; else
 * it is closed, -1. */
__attribute__((warn_unused_result)) int desk_serve(struct desk *desk, int connection, bool hashes);

/* While a request waits for something else than its peer nobody is at its desk, and http.timeout
 * begins again with the return. */
void desk_leave(const struct desk *desk);
void desk_return(const struct desk *desk);

#endif
