/* SPDX-License-Identifier: MIT */
/*
 * Read, answer, write: the one room that knows both the web server's side and the service's. A
 * watch over whoever is at a desk shuts the request's socket down, so that whatever waits for the
 * peer returns.
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
	int connection; /* of the request under way */
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

void desk_leave(const struct desk *desk)
{
	if (current_socket == desk->connection)
		current_socket = -1;
}

void desk_return(const struct desk *desk)
{
	seconds_left = (sig_atomic_t)desk->context.settings->http_timeout;
	current_socket = desk->connection;
	if (!watching) {
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
	context->wider_network = request->wider_network;
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
	desk->connection = connection;
	desk_return(desk);
	if (fcgi_read(desk->fcgi, connection, settings, &desk->arena, &request))
		answer(desk, &request);
	desk_leave(desk);
	arena_reset(&desk->arena);
	return fcgi_end(desk->fcgi);
}
