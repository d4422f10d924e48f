/* SPDX-License-Identifier: MIT */
#include "process/worker.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "api/answer.h"
#include "base/clock.h"
#include "process/hands.h"
#include "process/lobby.h"
#include "process/stop.h"
#include "store/pipeline.h"

/* A request waits for those before it in the same worker, and others' processors must not stand
 * still meanwhile. */
#define HANDS 16

struct worker {
	const struct context *context;
	const struct queue *hashes; /* NULL: they are computed here */
	const struct queue *kept; /* where kept connections go; NULL: they stay here */
	struct lobby lobby;
	struct hands *hands;
	unsigned hand_count;
	unsigned connections; /* of the store, that the lobby watches (connection.h) */
};

static void keep(void *context, int connection)
{
	struct worker *worker = context;
	if (!worker->kept || !queue_put(worker->kept, connection))
		lobby_keep(&worker->lobby, connection, clock_monotonic_ms());
}

/* A connection that was made since is watched. */
static void watch_store(struct worker *worker)
{
	const struct store *store = worker->context->store;
	if (store->connections == worker->connections)
		return;
	worker->connections = store->connections;
	lobby_watch(&worker->lobby, store_socket(store));
}

/* Goes on with those whose statements are over. */
static void read_answers(struct worker *worker)
{
	store_read(worker->context->store);
	hands_go_on(worker->hands);
	watch_store(worker);
}

/* Waits until no more than so many hands are full. */
static void finish(struct worker *worker, unsigned most)
{
	struct store *store = worker->context->store;
	while (hands_full(worker->hands) > most) {
		struct pollfd answered = { store_socket(store), POLLIN, 0 };
		int64_t left = store_due(store) - clock_monotonic_ms();
		if (answered.fd >= 0 && left > 0)
			poll(&answered, 1, (int)left);
		read_answers(worker);
	}
}

/* What costs a hash is passed on, unless the queue is full: then it is told so here. */
static void take(struct worker *worker, int connection, const struct target *target)
{
	const struct context *context = worker->context;
	if (worker->hashes && api_hashes(context->settings, target) &&
		queue_put(worker->hashes, connection))
		return;
	hands_take(worker->hands, connection, !worker->hashes);
	hands_go_on(worker->hands); /* it may have lost the connection, and with it others' turns */
	watch_store(worker);
	finish(worker, worker->hand_count - 1);
}

static void work(
	struct worker *worker, const sigset_t *waiting, worker_idle *idle, void *idle_context)
{
	const struct store *store = worker->context->store;
	struct target target;
	while (!stop_requested()) {
		int connection = lobby_next(&worker->lobby, waiting, store_due(store), &target);
		if (connection >= 0)
			take(worker, connection, &target);
		if (lobby_rang(&worker->lobby) ||
			(store_due(store) >= 0 && clock_monotonic_ms() >= store_due(store)))
			read_answers(worker);
		if (connection >= 0 && idle)
			idle(idle_context);
	}
	finish(worker, 0);
	for (int connection; (connection = lobby_last(&worker->lobby, &target)) >= 0;) {
		take(worker, connection, &target);
		finish(worker, 0);
	}
}

int worker_run(int listener, const struct context *context, const struct queue *hashes,
	const struct queue *kept, bool keeps, worker_idle *idle, void *idle_context)
{
	sigset_t waiting;
	struct worker worker = {
		.context = context,
		.hashes = hashes,
		.kept = keeps ? NULL : kept,
		.hand_count = hashes ? HANDS : 1,
	};
	worker.hands = hands_open(context, worker.hand_count, keep, &worker);
	bool opened = lobby_open(&worker.lobby, listener, kept, keeps) && worker.hands;
	stop_prepare(&waiting); /* after libfcgi, which sets handlers of its own */
	if (opened)
		work(&worker, &waiting, idle, idle_context);
	else
		log_error(context->log, "worker_failed", "no connection can be waited for: %s",
			strerror(errno));
	lobby_finish(&worker.lobby);
	hands_close(worker.hands);
	return opened ? 0 : 1;
}
