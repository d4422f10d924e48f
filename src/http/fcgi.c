/* SPDX-License-Identifier: MIT */
/*
 * libfcgi parses and prints records, on an operating system that is ours (fcgi_os.h). It begins anew
 * with each request, so nothing of one is left when the next one is read. A connection whose request
 * was not read to its end is closed: what is left of it is its author's, and never read as records.
 */
#include "http/fcgi.h"

#include <errno.h>
#include <fastcgi.h>
#include <fcgiapp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/secret.h"
#include "http/fcgi_os.h"

/* How long a peer that is still sending is read from after the answer. */
#define LINGER_MS 1000

#define FIRST_ROOM 1024

struct fcgi {
	FCGX_Request request;
	struct fcgi_os os;
	const struct settings *settings;
	struct arena *arena;
	bool drained; /* the body was read to its end */
	bool written; /* the answer went out */
};

bool fcgi_prepare(void)
{
	return FCGX_Init() == 0;
}

static int64_t deadline_of(const struct fcgi *fcgi)
{
	return clock_monotonic_ms() + fcgi->settings->http_timeout * 1000;
}

struct fcgi *fcgi_open(int socket, struct text ahead, const struct waiter *waiter,
	const struct settings *settings, struct arena *arena)
{
	struct fcgi *fcgi = arena_alloc(arena, sizeof(*fcgi));
	fcgi->settings = settings;
	fcgi->arena = arena;
	fcgi->os = (struct fcgi_os){ .socket = socket, .waiter = waiter, .ahead = ahead };
	fcgi->os.deadline = deadline_of(fcgi);
	records_init(&fcgi->os.records);
	FCGX_InitRequest(&fcgi->request, -1, 0);
	return fcgi;
}

/* Reads until the end or until there are `most` octets. Room grows with what comes, for most
 * requests have little or nothing. */
static struct text read_octets(struct fcgi *fcgi, size_t most)
{
	size_t room = most < FIRST_ROOM ? most : FIRST_ROOM;
	char *octets = arena_alloc(fcgi->arena, room);
	size_t used = 0;
	for (;;) {
		int count = FCGX_GetStr(octets + used, (int)(room - used), fcgi->request.in);
		if (count <= 0)
			break;
		used += (size_t)count;
		if (used < room || room == most)
			break;
		room = 4 * room < most ? 4 * room : most;
		octets = memcpy(arena_alloc(fcgi->arena, room), octets, used);
	}
	return (struct text){ octets, used };
}

static enum body_state read_body(struct fcgi *fcgi, long long announced, struct text *body)
{
	size_t maximum = (size_t)fcgi->settings->http_max_body;
	if (announced > (long long)maximum)
		return BODY_TOO_LARGE;
	/* one more than announced or allowed, to see that there is no more */
	*body = read_octets(fcgi, (announced >= 0 ? (size_t)announced : maximum) + 1);
	if (FCGX_GetError(fcgi->request.in) != 0)
		return BODY_TRUNCATED;
	fcgi->drained = fcgi->os.records.state == RECORDS_END;
	if (announced < 0 && body->length > maximum)
		return BODY_TOO_LARGE;
	if (announced >= 0 && body->length != (size_t)announced)
		return BODY_TRUNCATED;
	return body->length == 0 ? BODY_NONE : BODY_COMPLETE;
}

bool fcgi_read(struct fcgi *fcgi, struct request *request)
{
	fcgi_os_enter(&fcgi->os);
	if (FCGX_Accept_r(&fcgi->request) < 0)
		return false;
	request_read(
		request, fcgi->arena, fcgi->request.envp, fcgi->settings->http_trusted_proxies);
	if (fcgi->request.role != FCGI_RESPONDER)
		request->unreadable = "Only the responder role is served";
	else if (!request->unreadable || request->announced_length >= 0)
		request->body_state = read_body(fcgi, request->announced_length, &request->body);
	/* else it may have no end: lighttpd sends none to an authorizer */
	return fcgi->os.records.state != RECORDS_ABORTED &&
	       fcgi->os.records.state != RECORDS_REFUSED;
}

bool fcgi_write(struct fcgi *fcgi, const struct response *response)
{
	struct text rendered = response_render(response);
	fcgi_os_enter(&fcgi->os);
	fcgi->os.deadline = deadline_of(fcgi);
	fcgi->written = FCGX_PutStr(rendered.at, (int)rendered.length, fcgi->request.out) ==
			(int)rendered.length;
	FCGX_FClose(fcgi->request.err);
	fcgi->written = FCGX_FClose(fcgi->request.out) == 0 && fcgi->written;
	return fcgi->written;
}

/* Closing while the peer still sends would reset the connection and take the answer along. */
static void linger(struct fcgi_os *os)
{
	char ignored[4096];
	int64_t until = clock_monotonic_ms() + LINGER_MS;
	shutdown(os->socket, SHUT_WR);
	while (clock_monotonic_ms() < until) {
		fcgi_os_yield(os);
		ssize_t count = recv(os->socket, ignored, sizeof(ignored), MSG_DONTWAIT);
		if (count > 0)
			continue;
		if (count == 0 || errno != EAGAIN ||
			!os->waiter->wait(os->waiter->context, os->socket, POLLIN, until))
			return;
	}
}

/* libfcgi frees its buffer and the parameters without wiping them; they hold passwords and tokens. */
static void wipe(struct fcgi *fcgi)
{
	for (char **parameter = fcgi->request.envp; parameter && *parameter; parameter++)
		secret_cleanse(*parameter, strlen(*parameter));
	if (fcgi->request.in && fcgi->os.buffer)
		secret_cleanse(fcgi->os.buffer, fcgi->os.buffer_used);
}

bool fcgi_close(struct fcgi *fcgi)
{
	bool whole = fcgi->drained && fcgi->written && !fcgi->os.surplus;
	bool answered = fcgi->written;
	fcgi_os_enter(&fcgi->os);
	if (fcgi->request.in)
		wipe(fcgi);
	if (whole)
		FCGX_Finish_r(&fcgi->request); /* asks to close unless the peer wants to keep it */
	else
		FCGX_Free(&fcgi->request, 1);
	if (answered && !fcgi->drained)
		linger(&fcgi->os);
	return whole && !fcgi->os.closed;
}
