/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_HTTP_ARRIVAL_H
#define LATCHKEY_HTTP_ARRIVAL_H

#include "http/request.h"

/* How much of a FastCGI request (specification sections 3.3 and 5) lies in a socket's buffer. */
enum arrival {
	ARRIVAL_WHOLE, /* all of it; of a body over 64 KiB as much as there is room for */
	ARRIVAL_PART, /* something is missing yet */
	ARRIVAL_GARBAGE, /* no request, one that no web server sends, or the peer has gone */
};

/* Where a request wants to go, as request_read() will say, which refuses longer paths. */
struct target {
	enum method method;
	char path[REQUEST_VALUE_MAXIMUM + 1]; /* PATH_INFO; "" where it is not there, or longer */
	char dialect[32]; /* LATCHKEY_DIALECT, the same */
};

/*
 * Looks at what has come without taking it and without waiting. A request that is there as a whole
 * can be read without ever waiting for the peer, so one that stalls costs no worker. The records
 * up to the body are looked through: they are in order, of one request, and their lengths agree. target is written
 * when they all are there.
 */
enum arrival arrival_of(int socket, struct target *target);

#endif
