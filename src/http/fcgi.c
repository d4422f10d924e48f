/* SPDX-License-Identifier: MIT */
/*
 * libfcgi parses and prints records; everything else that it can do is kept from happening. Left to
 * itself it accepts, lingers over a closing connection, and reads what is left of one request
 * as the next one's records. So it gets no listening socket, and this room closes the connection,
 * unless the peer wants to keep it and its request was read to the end. The marks it is told that by
 * are fields of its request that its header calls private; a test holds them to their meaning.
 */
#include "http/fcgi.h"

#include <errno.h>
#include <fastcgi.h>
#include <fcgiapp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

/* How long a peer that is still sending is heard out after the answer. */
#define LINGER_MS 1000

#define FIRST_ROOM 1024

struct fcgi {
	FCGX_Request request;
	int socket;
	bool accepted; /* libfcgi has a request of this connection */
	bool drained; /* the body was read to its end */
	bool kept; /* FCGI_KEEP_CONN (specification section 3.5), and the answer went out */
};

struct fcgi *fcgi_open(void)
{
	struct fcgi *fcgi = calloc(1, sizeof(*fcgi));
	if (!fcgi)
		return NULL;
	fcgi->socket = -1;
	if (FCGX_Init() != 0 || FCGX_InitRequest(&fcgi->request, -1, 0) != 0) {
		free(fcgi);
		return NULL;
	}
	return fcgi;
}

void fcgi_close(struct fcgi *fcgi)
{
	if (!fcgi)
		return;
	FCGX_Free(&fcgi->request, 0);
	free(fcgi);
}

/* Reads until the end or until there are `most` octets. Room grows with what comes, for most
 * requests have little or nothing. */
static struct text read_octets(struct fcgi *fcgi, struct arena *arena, size_t most)
{
	size_t room = most < FIRST_ROOM ? most : FIRST_ROOM;
	char *octets = arena_alloc(arena, room);
	size_t used = 0;
	for (;;) {
		int count = FCGX_GetStr(octets + used, (int)(room - used), fcgi->request.in);
		if (count <= 0)
			break;
		used += (size_t)count;
		if (used < room || room == most)
			break;
		room = 4 * room < most ? 4 * room : most;
		octets = memcpy(arena_alloc(arena, room), octets, used);
	}
	return (struct text){ octets, used };
}

static enum body_state read_body(struct fcgi *fcgi, const struct settings *settings,
	struct arena *arena, long long announced, struct text *body)
{
	size_t maximum = (size_t)settings->http_max_body;
	if (announced > (long long)maximum)
		return BODY_TOO_LARGE;
	/* one more than announced or allowed, to see that there is no more */
	*body = read_octets(fcgi, arena, (announced >= 0 ? (size_t)announced : maximum) + 1);
	if (FCGX_GetError(fcgi->request.in) != 0)
		return BODY_TRUNCATED;
	if (announced < 0 && body->length > maximum)
		return BODY_TOO_LARGE;
	fcgi->drained = announced < 0 || body->length <= (size_t)announced;
	if (announced >= 0 && body->length != (size_t)announced)
		return BODY_TRUNCATED;
	return body->length == 0 ? BODY_NONE : BODY_COMPLETE;
}

bool fcgi_read(struct fcgi *fcgi, int socket, const struct settings *settings, struct arena *arena,
	struct request *request)
{
	fcgi->socket = socket;
	fcgi->accepted = false;
	fcgi->drained = false;
	fcgi->kept = false;
	fcgi->request.ipcFd = socket;
	fcgi->request.keepConnection = 1; /* else the next call closes the socket first */
	fcgi->request.detached = 1; /* and lingers over it */
	if (FCGX_Accept_r(&fcgi->request) < 0) {
		fcgi->socket = -1; /* it has closed it */
		return false;
	}
	fcgi->accepted = true;
	request_read(request, arena, fcgi->request.envp, settings->http_trusted_proxies);
	if (fcgi->request.role != FCGI_RESPONDER)
		request->unreadable = "Only the responder role is served";
	else if (!request->unreadable || request->announced_length >= 0)
		request->body_state =
			read_body(fcgi, settings, arena, request->announced_length, &request->body);
	/* else it may have no end: lighttpd sends none to an authorizer */
	return true;
}

bool fcgi_write(struct fcgi *fcgi, const struct response *response)
{
	struct text rendered = response_render(response);
	bool written = FCGX_PutStr(rendered.at, (int)rendered.length, fcgi->request.out) ==
		       (int)rendered.length;
	FCGX_FClose(fcgi->request.err);
	written = FCGX_FClose(fcgi->request.out) == 0 && written;
	fcgi->kept = written && fcgi->request.keepConnection;
	return written;
}

/* Closing while the peer still sends would reset the connection and take the answer along. */
static void hear_out(int socket)
{
	char ignored[16384];
	int64_t until = clock_monotonic_ms() + LINGER_MS;
	struct pollfd ready = { socket, POLLIN, 0 };
	shutdown(socket, SHUT_WR);
	for (;;) {
		int64_t left = until - clock_monotonic_ms();
		int polled = left > 0 ? poll(&ready, 1, (int)left) : 0;
		if (polled < 0 && errno == EINTR)
			continue;
		if (polled <= 0 || recv(socket, ignored, sizeof(ignored), MSG_DONTWAIT) <= 0)
			return;
	}
}

int fcgi_end(struct fcgi *fcgi)
{
	int socket = fcgi->socket;
	if (fcgi->accepted)
		FCGX_Free(&fcgi->request, 0);
	/* what is left of a body is its author's, and must never be read as records */
	if (socket >= 0 && !(fcgi->accepted && fcgi->drained && fcgi->kept)) {
		if (fcgi->accepted && !fcgi->drained)
			hear_out(socket);
		close(socket);
		socket = -1;
	}
	fcgi->request.ipcFd = -1;
	fcgi->socket = -1;
	fcgi->accepted = false;
	return socket;
}
