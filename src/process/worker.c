/* SPDX-License-Identifier: MIT */
/*
 * What a worker consists of: a loop, the table of connections, the one connection to the database that
 * all its tasks share, and the way to the hashers. With each turn of the loop a signal may come in.
 */
#include "process/worker.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "http/fcgi.h"
#include "process/connections.h"
#include "process/exchange.h"
#include "process/hash_client.h"
#include "process/loop.h"
#include "process/signals.h"
#include "store/store.h"

/* Descriptors that are no connections: log, sockets, epoll, database, what libraries open. */
#define OTHER_DESCRIPTORS 32

#define CONNECTIONS_MAXIMUM 4096
#define CONNECTIONS_MINIMUM 8

/* How often one who drains looks whether the others have taken what was handed off. */
#define DRAIN_STEP_MS 10

struct worker {
	struct watch database; /* must be the first */
	const struct worker_settings *settings;
	struct context context;
	struct loop *loop;
	struct connections *connections;
	struct hash_client hashers;
	struct hash_door door_here; /* where there are none */
	struct hash_pace pace;
	unsigned database_number; /* of the connection that is watched (store.connections) */
	bool served; /* since the chore was done */
};

static void read_database(struct watch *watch, uint32_t events)
{
	const struct worker *worker = (const struct worker *)watch;
	(void)events;
	store_read(worker->context.store);
}

/* A connection that was opened since is watched; one that was closed watches itself no more. */
static void watch_database(struct worker *worker)
{
	const struct store *store = worker->context.store;
	if (store->connections == worker->database_number || store_socket(store) < 0)
		return;
	worker->database_number = store->connections;
	worker->database = (struct watch){ store_socket(store), read_database };
	if (!loop_watch(worker->loop, &worker->database, EPOLLIN))
		log_error(worker->context.log, "database_unwatched", "%s", strerror(errno));
}

static bool serve(void *context, int socket, struct text ahead, const struct waiter *peer)
{
	struct worker *worker = context;
	worker->served = true;
	return exchange_serve(&worker->context, socket, ahead, peer);
}

/* As many as there may be descriptors, for connections in the backlog cost none. */
static unsigned maximum_of_connections(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return CONNECTIONS_MINIMUM;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	getrlimit(RLIMIT_NOFILE, &limit);
	rlim_t most = limit.rlim_cur > OTHER_DESCRIPTORS ? limit.rlim_cur - OTHER_DESCRIPTORS : 0;
	most = most < CONNECTIONS_MINIMUM ? CONNECTIONS_MINIMUM : most;
	return most > CONNECTIONS_MAXIMUM ? CONNECTIONS_MAXIMUM : (unsigned)most;
}

static bool prepare(struct worker *worker)
{
	const struct worker_settings *settings = worker->settings;
	const struct settings *configured = settings->context->settings;
	const struct connections_settings connections = {
		.listener = settings->listener,
		.handoff = settings->handoff,
		.maximum = maximum_of_connections(),
		.patience_ms = configured->http_timeout * 1000,
		.serve = serve,
		.context = worker,
	};
	worker->context = *settings->context;
	worker->door_here = hash_door_here;
	worker->door_here.context = &worker->pace;
	worker->context.hashing = &worker->door_here;
	worker->loop = loop_open();
	if (!worker->loop || !fcgi_prepare())
		return false;
	if (settings->hashers) {
		worker->context.hashing = &worker->hashers.door;
		if (!hash_client_init(&worker->hashers, worker->loop, settings->hashers,
			    settings->number,
			    configured->passwords_memory * configured->passwords_passes))
			return false;
	}
	const struct waiter waiter = loop_waiter(worker->loop);
	store_share(worker->context.store, &waiter);
	worker->connections = connections_open(worker->loop, &connections);
	return worker->connections != NULL;
}

static int64_t do_chores(struct worker *worker, int64_t until)
{
	const struct worker_settings *settings = worker->settings;
	const struct context *context = &worker->context;
	signals_reopen_log(context->log, context->settings->log_target);
	if (!settings->chore)
		return until;
	int64_t next = settings->chore(settings->chore_context, worker->served);
	worker->served = false;
	return next < until ? next : until;
}

static void work(struct worker *worker, const sigset_t *waiting)
{
	while (!signals_stop_requested()) {
		int64_t until = do_chores(worker, connections_sweep(worker->connections));
		watch_database(worker);
		loop_turn(worker->loop, waiting, until);
	}
	connections_drain(worker->connections);
	while (!connections_drained(worker->connections) || loop_tasks(worker->loop) > 0) {
		watch_database(worker);
		loop_turn(worker->loop, waiting, clock_monotonic_ms() + DRAIN_STEP_MS);
	}
}

int worker_run(const struct worker_settings *settings)
{
	struct worker worker = { .settings = settings };
	sigset_t waiting;
	signals_prepare(&waiting);
	bool prepared = prepare(&worker);
	if (prepared)
		work(&worker, &waiting);
	else
		log_error(settings->context->log, "worker_failed",
			"no connection can be waited for: %s", strerror(errno));
	connections_close(worker.connections);
	if (settings->hashers)
		hash_client_finish(&worker.hashers);
	loop_close(worker.loop);
	return prepared ? 0 : 1;
}
