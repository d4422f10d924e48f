/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_HTTP_FCGI_H
#define LATCHKEY_HTTP_FCGI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/settings.h"
#include "base/waiter.h"
#include "http/request.h"
#include "http/response.h"

/*
 * FastCGI, one request at a time: the room that knows libfcgi, with http/fcgi_os. All functions but
 * fcgi_prepare() and fcgi_open() may wait, in the waiter: others of the same process may run meanwhile.
 */
struct fcgi;

/* Once in each process. False where libfcgi cannot start. */
__attribute__((warn_unused_result)) bool fcgi_prepare(void);

/*
 * One request of an accepted connection. socket (non-blocking) stays the caller's; ahead: octets that
 * the caller has read from it already; waiter waits for this connection. All but the octets outlive
 * it. The time that the request has to arrive (http.timeout) begins now. Never NULL: memory is the
 * arena's.
 */
struct fcgi *fcgi_open(int socket, struct text ahead, const struct waiter *waiter,
	const struct settings *settings, struct arena *arena);

/* Reads the request, the body included, into the arena. One that must not be served is read all the
 * same, and says so (request->unreadable). False: the peer has gone, was too slow, gave the request
 * up, or spoke no FastCGI: nobody is to be answered. */
__attribute__((warn_unused_result)) bool fcgi_read(struct fcgi *fcgi, struct request *request);

/* Sends the answer, with one write where it has less than 8 KiB, within another http.timeout. False:
 * it did not arrive. */
bool fcgi_write(struct fcgi *fcgi, const struct response *response);

/* Ends the exchange, and wipes what libfcgi has held of it. True where the peer wants to keep the
 * connection (FCGI_KEEP_CONN), and the request was read to its end, and nothing came behind it: then
 * another request may follow. Else the connection is to be closed; a peer that is still sending was
 * read from for a second at most before, so that it gets to read the answer. */
__attribute__((warn_unused_result)) bool fcgi_close(struct fcgi *fcgi);

#endif
