/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_HTTP_FCGI_OS_H
#define LATCHKEY_HTTP_FCGI_OS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "base/waiter.h"
#include "http/records.h"

/*
 * What libfcgi takes for the operating system (fcgios.h): it gets one connection, reads one request
 * from it, and waits for the peer in the caller's waiter.
 */
struct fcgi_os {
	int socket; /* non-blocking, the caller's; it is not closed here */
	const struct waiter *waiter;
	int64_t deadline; /* monotonic ms, of reading and of writing */
	struct text ahead; /* what the caller has read before */
	struct records records;
	bool accepted; /* libfcgi was given the connection */
	bool closed; /* libfcgi will have no more of it */
	bool surplus; /* there was something behind the request's end */
	char *buffer; /* libfcgi's, of the last read */
	size_t buffer_used; /* the most that was ever in it */
	unsigned reads;
};

/* libfcgi asks without saying for whom: for this one, until another is entered. Before each call of
 * the library. */
void fcgi_os_enter(struct fcgi_os *os);

/* Before each read: lets others of the process run now and then. */
void fcgi_os_yield(struct fcgi_os *os);

#endif
