/* SPDX-License-Identifier: MIT */
/*
 * Read, answer, write: the one room that knows both the web server's side and the service's. A
 * watch over the whole request shuts its socket down, so that whatever waits for the peer returns.
 */
#include "process/desk.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/answer.h"
#include "http/fcgi.h"

/* The watch, which is a signal handler: it comes by every second while there is something to watch,
 * which costs less than a timer for each request. */
static volatile sig_atomic_t current_socket = -1;
static volatile sig_atomic_t seconds_left;
static volatile sig_atomic_t watching;

static void come_by(int signal)
{
	(void)signal;
	if (current_socket >= 0 && --seconds_left < 0)
		shutdown(current_socket, SHUT_RDWR);
	watching = current_socket >= 0;
	if (watching)
		alarm(1);
}

struct desk {
	struct context context;
	struct fcgi *fcgi;
	struct arena arena;
};

struct desk *desk_open(const struct context *context)
{
	struct sigaction watch = { .sa_handler = come_by, .sa_flags = SA_RESTART };
	struct desk *desk = calloc(1, sizeof(*desk));
	if (!desk)
		return NULL;
	desk->context = *context;
	desk->context.arena = &desk->arena;
	desk->fcgi = fcgi_open();
	if (desk->fcgi) {
		sigaction(SIGALRM, &watch, NULL);
		return desk;
	}
	free(desk);
	return NULL;
}

void desk_close(struct desk *desk)
{
	if (!desk)
		return;
	arena_finish(&desk->arena);
	fcgi_close(desk->fcgi);
	free(desk);
}

static void set_deadline(int socket, long seconds)
{
	seconds_left = (sig_atomic_t)seconds;
	current_socket = socket;
	if (socket >= 0 && !watching) {
		watching = 1;
		alarm(1);
	}
}

static void answer(struct desk *desk, const struct request *request)
{
	struct context *context = &desk->context;
	struct response response;
	context->client = request->client;
	context->network = request->network;
	response_init(&response, &desk->arena);
	api_answer(context, request, &response);
	if (!fcgi_write(desk->fcgi, &response))
		log_info(context->log, "answer_lost", "client=%.*s status=%d",
			TEXT_PRINTF(request->client), response.status);
}

int desk_serve(struct desk *desk, int connection, bool hashes)
{
	const struct settings *settings = desk->context.settings;
	struct request request;
	desk->context.hashes = hashes;
	set_deadline(connection, settings->http_timeout);
	if (fcgi_read(desk->fcgi, connection, settings, &desk->arena, &request))
		answer(desk, &request);
	set_deadline(-1, 0);
	arena_reset(&desk->arena);
	return fcgi_end(desk->fcgi);
}
