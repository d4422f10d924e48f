/* SPDX-License-Identifier: MIT */
#include "http/arrival.h"

#include <errno.h>
#include <fastcgi.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

/* A socket's buffer may not hold a large body as a whole: with so much there, the peer is
 * sending. */
#define ENOUGH 49152

/* Walks the records: a request ends with an empty record of its STDIN. */
static enum arrival walk(const unsigned char *at, size_t size)
{
	for (size_t from = 0;;) {
		const unsigned char *header = at + from;
		if (size - from < 1)
			return ARRIVAL_PART;
		if (header[0] != FCGI_VERSION_1)
			return ARRIVAL_GARBAGE;
		if (size - from < FCGI_HEADER_LEN)
			return ARRIVAL_PART;
		unsigned type = header[1];
		size_t length = (size_t)header[4] << 8 | header[5];
		if (type == 0 || type > FCGI_MAXTYPE || (from == 0 && type != FCGI_BEGIN_REQUEST))
			return ARRIVAL_GARBAGE;
		if (type == FCGI_STDIN && length == 0)
			return ARRIVAL_WHOLE;
		length += FCGI_HEADER_LEN + header[6];
		if (length > size - from)
			return ARRIVAL_PART;
		from += length;
	}
}

enum arrival arrival_of(int socket)
{
	unsigned char octets[ENOUGH];
	ssize_t size = recv(socket, octets, sizeof(octets), MSG_PEEK | MSG_DONTWAIT);
	if (size < 0)
		return errno == EAGAIN || errno == EINTR ? ARRIVAL_PART : ARRIVAL_GARBAGE;
	if (size == 0)
		return ARRIVAL_GARBAGE;
	enum arrival arrival = walk(octets, (size_t)size);
	return arrival == ARRIVAL_PART && size == sizeof(octets) ? ARRIVAL_WHOLE : arrival;
}
