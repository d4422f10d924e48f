/* SPDX-License-Identifier: MIT */
/*
 * Read, answer, write: the one room that knows both the web server's side and the service's. A
 * timer over the whole request shuts its socket down, so that whatever waits for the peer returns.
 */
#include "process/worker.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "api/answer.h"
#include "http/fcgi.h"
#include "process/lobby.h"
#include "process/stop.h"

/* What the signal handler looks at. */
static volatile sig_atomic_t current_socket = -1;

static void time_is_up(int signal)
{
	(void)signal;
	if (current_socket >= 0)
		shutdown(current_socket, SHUT_RDWR);
}

static void set_deadline(int socket, long seconds)
{
	struct itimerval timer = { .it_value.tv_sec = seconds };
	current_socket = socket;
	setitimer(ITIMER_REAL, &timer, NULL);
}

static void serve(struct fcgi *fcgi, struct context *context, int socket)
{
	struct request request;
	struct response response;
	set_deadline(socket, context->settings->http_timeout);
	if (fcgi_read(fcgi, socket, context->settings, context->arena, &request)) {
		context->client = request.client;
		context->network = request.network;
		response_init(&response, context->arena);
		api_answer(context, &request, &response);
		if (!fcgi_write(fcgi, &response))
			log_info(context->log, "answer_lost", "client=%.*s status=%d",
				TEXT_PRINTF(request.client), response.status);
	}
	set_deadline(-1, 0);
	fcgi_end(fcgi);
	arena_reset(context->arena);
}

int worker_run(int listener, const struct context *shared, worker_idle *idle, void *idle_context)
{
	struct context context = *shared;
	struct sigaction alarm_action = { .sa_handler = time_is_up };
	struct lobby lobby = { .count = 0 };
	struct arena arena;
	sigset_t waiting;
	struct fcgi *fcgi = fcgi_open();
	if (!fcgi) {
		log_error(context.log, "fastcgi_failed", "libfcgi cannot start");
		return 1;
	}
	stop_prepare(&waiting); /* after libfcgi, which sets handlers of its own */
	sigaction(SIGALRM, &alarm_action, NULL);
	arena_init(&arena);
	context.arena = &arena;
	while (!stop_requested()) {
		int socket = lobby_next(&lobby, listener, &waiting);
		if (socket < 0)
			continue;
		serve(fcgi, &context, socket);
		if (idle)
			idle(idle_context);
	}
	lobby_finish(&lobby);
	arena_finish(&arena);
	fcgi_close(fcgi);
	return 0;
}
