/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_HTTP_ARRIVAL_H
#define LATCHKEY_HTTP_ARRIVAL_H

/* How much of a FastCGI request (specification section 3.3) lies in a socket's buffer. */
enum arrival {
	ARRIVAL_WHOLE, /* all of it, or more than a worker needs to wait for */
	ARRIVAL_PART, /* something is missing yet */
	ARRIVAL_GARBAGE, /* this is no FastCGI request, or the peer has gone */
};

/*
 * Looks at what has come without taking it and without waiting. A request that is there as a whole
 * can be read without ever waiting for the peer, so one that stalls costs no worker.
 */
enum arrival arrival_of(int socket);

#endif
