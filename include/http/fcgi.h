/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_HTTP_FCGI_H
#define LATCHKEY_HTTP_FCGI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/settings.h"
#include "http/request.h"
#include "http/response.h"

/*
 * FastCGI, one request at a time: the one room that knows libfcgi. The library never accepts or
 * closes here, for it waits without end while doing so.
 */
struct fcgi;

/* Once for each process, after which signal handlers are set (the library sets its own). NULL
 * when the library cannot start. */
struct fcgi *fcgi_open(void);
void fcgi_close(struct fcgi *fcgi);

/*
 * Reads a request from an accepted socket, the body included, into the arena. The socket has its
 * time-outs, and a deadline over the whole is the caller's. A request that must not be served is
 * read all the same, and says why (unreadable). False: the peer was lost or spoke no FastCGI, and
 * there is nobody to answer; call fcgi_end() all the same.
 */
__attribute__((warn_unused_result)) bool fcgi_read(struct fcgi *fcgi, int socket,
	const struct settings *settings, struct arena *arena, struct request *request);

/* Sends the answer with one write. False: it did not arrive. */
bool fcgi_write(struct fcgi *fcgi, const struct response *response);

/* Ends the exchange. Returns the socket where the peer wants to keep it (FCGI_KEEP_CONN) and has had
 * its request read to the end; it is the caller's then. Otherwise it is closed, -1; where the peer is
 * still sending it is heard out for a second at most, so that it gets to read the answer. */
__attribute__((warn_unused_result)) int fcgi_end(struct fcgi *fcgi);

#endif
