/* SPDX-License-Identifier: MIT */
/*
 * libfcgi waits for whatever is missing, and parts of it fail on lengths and on management records
 * that no web server sends. So it is only handed what has been looked through: one request, in
 * the order of the specification's section 5, with parameters that fit in what holds them.
 */
#include "http/arrival.h"

#include <errno.h>
#include <fastcgi.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

/* With so much there the peer is sending. A Unix socket with the kernel's usual buffer holds hardly
 * more of what a web server streams in small records: 49,985 octets were measured. */
#define ENOUGH 40960

/* Which stream is next, and what was in the one of the parameters. */
struct walk {
	unsigned char *octets; /* a copy of ours: the parameters are moved together in it */
	size_t size;
	unsigned expected; /* type of the next record */
	unsigned role;
	size_t parameters; /* octets of them, moved to the start */
};

/* Section 3.4: one octet, or four of which the first has its highest bit set. */
static bool take_length(const unsigned char **at, const unsigned char *end, size_t *length)
{
	size_t width = *at < end && **at >> 7 ? 4 : 1;
	if ((size_t)(end - *at) < width)
		return false;
	*length = **at & 0x7f;
	for (size_t i = 1; i < width; i++)
		*length = *length << 8 | (*at)[i];
	*at += width;
	return true;
}

/* The first of a name counts, as with libfcgi. */
static void keep(char *kept, size_t room, const unsigned char *value, size_t length)
{
	if (kept[0] != '\0' || length >= room)
		return;
	memcpy(kept, value, length);
	kept[length] = '\0';
}

static void aim(struct target *target, const unsigned char *name, size_t name_length,
	const unsigned char *value, size_t length)
{
	struct text said = { (const char *)name, name_length };
	char method[8] = "";
	if (text_equal(said, TEXT("PATH_INFO")))
		keep(target->path, sizeof(target->path), value, length);
	else if (text_equal(said, TEXT("LATCHKEY_DIALECT")))
		keep(target->dialect, sizeof(target->dialect), value, length);
	else if (text_equal(said, TEXT("REQUEST_METHOD")) && target->method == METHOD_OTHER) {
		keep(method, sizeof(method), value, length);
		target->method = method_of(text_of(method));
	}
}

static bool parameters_fit(const struct walk *walk, struct target *target)
{
	const unsigned char *at = walk->octets;
	const unsigned char *end = at + walk->parameters;
	size_t name;
	size_t value;
	while (at < end) {
		if (!take_length(&at, end, &name) || !take_length(&at, end, &value) ||
			name + value > (size_t)(end - at))
			return false;
		aim(target, at, name, at + name, value);
		at += name + value;
	}
	return true;
}

/* One whole record. PART: the request goes on. */
static enum arrival step(
	struct walk *walk, const unsigned char *content, size_t length, struct target *target)
{
	switch (walk->expected) {
	case FCGI_BEGIN_REQUEST:
		if (length != sizeof(FCGI_BeginRequestBody))
			return ARRIVAL_GARBAGE;
		walk->role = (unsigned)content[0] << 8 | content[1];
		walk->expected = FCGI_PARAMS;
		return ARRIVAL_PART;
	case FCGI_PARAMS:
		memmove(walk->octets + walk->parameters, content, length);
		walk->parameters += length;
		if (length > 0)
			return ARRIVAL_PART;
		walk->expected = FCGI_STDIN;
		if (!parameters_fit(walk, target))
			return ARRIVAL_GARBAGE;
		/* the one role that has no body */
		return walk->role == FCGI_AUTHORIZER ? ARRIVAL_WHOLE : ARRIVAL_PART;
	default:
		return length == 0 ? ARRIVAL_WHOLE : ARRIVAL_PART;
	}
}

static enum arrival walk_records(struct walk *walk, struct target *target)
{
	enum arrival arrival = ARRIVAL_PART;
	unsigned request = 0;
	size_t from = 0;
	while (arrival == ARRIVAL_PART && from < walk->size) {
		const unsigned char *header = walk->octets + from;
		if (header[0] != FCGI_VERSION_1)
			return ARRIVAL_GARBAGE;
		if (walk->size - from < FCGI_HEADER_LEN)
			break;
		unsigned number = (unsigned)header[2] << 8 | header[3];
		size_t length = (size_t)header[4] << 8 | header[5];
		request = from == 0 ? number : request;
		if (header[1] != walk->expected || number == 0 || number != request)
			return ARRIVAL_GARBAGE;
		from += FCGI_HEADER_LEN + length + header[6];
		if (from > walk->size)
			break;
		arrival = step(walk, header + FCGI_HEADER_LEN, length, target);
	}
	return arrival;
}

enum arrival arrival_of(int socket, struct target *target)
{
	unsigned char octets[ENOUGH];
	ssize_t size = recv(socket, octets, sizeof(octets), MSG_PEEK | MSG_DONTWAIT);
	if (size < 0)
		return errno == EAGAIN || errno == EINTR ? ARRIVAL_PART : ARRIVAL_GARBAGE;
	if (size == 0)
		return ARRIVAL_GARBAGE;
	struct walk walk = { octets, (size_t)size, FCGI_BEGIN_REQUEST, 0, 0 };
	target->method = METHOD_OTHER;
	target->path[0] = '\0';
	target->dialect[0] = '\0';
	enum arrival arrival = walk_records(&walk, target);
	if (arrival != ARRIVAL_PART || size < (ssize_t)sizeof(octets))
		return arrival;
	/* a large body may never be there as a whole; its parameters are, or are too many */
	return walk.expected == FCGI_STDIN ? ARRIVAL_WHOLE : ARRIVAL_GARBAGE;
}
