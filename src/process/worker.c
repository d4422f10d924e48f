/* SPDX-License-Identifier: MIT */
/*
 * Read, answer, write: the one room that knows both the web server's side and the service's. A
 * watch over the whole request shuts its socket down, so that whatever waits for the peer returns.
 */
#include "process/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "api/answer.h"
#include "base/clock.h"
#include "http/fcgi.h"
#include "process/lobby.h"
#include "process/stop.h"

/* Requests that wait for a hashing slot do so here and not in the worker's way: so many, so long,
 * looked at so often. */
#define PARKED_MAXIMUM 16
#define PATIENCE_MS 2000
#define GLANCE_MS 2

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

static void set_deadline(int socket, long seconds)
{
	seconds_left = (sig_atomic_t)seconds;
	current_socket = socket;
	if (socket >= 0 && !watching) {
		watching = 1;
		alarm(1);
	}
}

/* A request from its arrival to its answer, with all the memory that is its own. */
struct visit {
	struct fcgi *fcgi;
	struct arena arena;
	struct request request;
	int64_t until; /* monotonic ms: it waits for a hashing slot no longer */
};

/* Visits that wait stand first, in the order in which they came. */
struct worker {
	struct context context;
	struct visit *visits[PARKED_MAXIMUM + 1];
	unsigned parked;
};

static void end(struct visit *visit)
{
	set_deadline(-1, 0);
	fcgi_end(visit->fcgi);
	arena_reset(&visit->arena);
}

/* False: it has to wait, and may. */
static bool answer(struct worker *worker, struct visit *visit, bool may_wait)
{
	struct context *context = &worker->context;
	struct response response;
	context->arena = &visit->arena;
	context->client = visit->request.client;
	context->network = visit->request.network;
	response_init(&response, &visit->arena);
	if (!api_answer(context, &visit->request, &response) && may_wait &&
		clock_monotonic_ms() < visit->until)
		return false;
	if (!fcgi_write(visit->fcgi, &response))
		log_info(context->log, "answer_lost", "client=%.*s status=%d",
			TEXT_PRINTF(visit->request.client), response.status);
	return true;
}

/* A new visit has the place behind those that wait. */
static void receive(struct worker *worker, int socket)
{
	struct visit *visit = worker->visits[worker->parked];
	const struct settings *settings = worker->context.settings;
	set_deadline(socket, settings->http_timeout);
	if (fcgi_read(visit->fcgi, socket, settings, &visit->arena, &visit->request)) {
		visit->until = clock_monotonic_ms() + PATIENCE_MS;
		if (!answer(worker, visit, worker->parked < PARKED_MAXIMUM)) {
			set_deadline(-1, 0);
			worker->parked++;
			return;
		}
	}
	end(visit);
}

/* The one that waits longest, if there is a slot or its time is up. */
static void resume(struct worker *worker)
{
	struct visit *visit = worker->visits[0];
	if (!slots_free(worker->context.slots) && clock_monotonic_ms() < visit->until)
		return;
	set_deadline(fcgi_socket(visit->fcgi), worker->context.settings->http_timeout);
	if (!answer(worker, visit, true)) {
		set_deadline(-1, 0);
		return;
	}
	end(visit);
	worker->parked--;
	memmove(worker->visits, worker->visits + 1, worker->parked * sizeof(*worker->visits));
	worker->visits[worker->parked] = visit;
}

/* A visit for the place that comes next, made when it is first needed. */
static bool prepare_place(struct worker *worker)
{
	struct visit **place = &worker->visits[worker->parked];
	if (*place)
		return true;
	*place = calloc(1, sizeof(**place));
	if (*place)
		(*place)->fcgi = fcgi_open();
	return *place && (*place)->fcgi;
}

static void furnish_out(struct worker *worker)
{
	for (size_t i = 0; i < PARKED_MAXIMUM + 1; i++) {
		if (!worker->visits[i])
			continue;
		arena_finish(&worker->visits[i]->arena);
		fcgi_close(worker->visits[i]->fcgi);
		free(worker->visits[i]);
	}
}

int worker_run(int listener, const struct context *shared, worker_idle *idle, void *idle_context)
{
	struct sigaction alarm_action = { .sa_handler = come_by, .sa_flags = SA_RESTART };
	struct worker worker = { .context = *shared };
	struct lobby lobby;
	sigset_t waiting;
	bool furnished = lobby_open(&lobby, listener) && prepare_place(&worker);
	if (!furnished)
		log_error(shared->log, "fastcgi_failed", "no socket can be waited on: %s",
			strerror(errno));
	stop_prepare(&waiting); /* after libfcgi, which sets handlers of its own */
	sigaction(SIGALRM, &alarm_action, NULL);
	while (furnished && (!stop_requested() || worker.parked > 0)) {
		if (worker.parked > 0)
			resume(&worker);
		furnished = prepare_place(&worker);
		if (stop_requested() || !furnished) { /* only those who wait are served now */
			nanosleep(&(struct timespec){ 0, GLANCE_MS * 1000000L }, NULL);
			continue;
		}
		int socket = lobby_next(&lobby, &waiting, worker.parked > 0 ? GLANCE_MS : -1);
		if (socket >= 0)
			receive(&worker, socket);
		if (socket >= 0 && idle)
			idle(idle_context);
	}
	lobby_finish(&lobby);
	furnish_out(&worker);
	return furnished ? 0 : 1;
}
