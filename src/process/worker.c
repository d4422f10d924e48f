/* SPDX-License-Identifier: MIT */
#include "process/worker.h"

#include <errno.h>
#include <string.h>

#include "api/answer.h"
#include "base/clock.h"
#include "process/desk.h"
#include "process/lobby.h"
#include "process/stop.h"

struct worker {
	const struct context *context;
	const struct queue *hashes; /* NULL: they are computed here */
	const struct queue *kept; /* where kept connections go; NULL: they stay here */
	struct lobby lobby;
	struct desk *desk;
};

/* What costs a hash is passed on, unless the queue is full: then it is told so here. */
static void take(struct worker *worker, int connection, const struct target *target)
{
	if (worker->hashes && api_hashes(worker->context->settings, target) &&
		queue_put(worker->hashes, connection))
		return;
	int kept = desk_serve(worker->desk, connection, !worker->hashes);
	if (kept >= 0 && (!worker->kept || !queue_put(worker->kept, kept)))
		lobby_keep(&worker->lobby, kept, clock_monotonic_ms());
}

int worker_run(int listener, const struct context *context, const struct queue *hashes,
	const struct queue *kept, bool keeps, worker_idle *idle, void *idle_context)
{
	struct target target;
	sigset_t waiting;
	struct worker worker = {
		.context = context,
		.hashes = hashes,
		.kept = keeps ? NULL : kept,
		.desk = desk_open(context),
	};
	bool opened = lobby_open(&worker.lobby, listener, kept, keeps) && worker.desk;
	if (!opened)
		log_error(context->log, "worker_failed", "no connection can be waited for: %s",
			strerror(errno));
	stop_prepare(&waiting); /* after libfcgi, which sets handlers of its own */
	while (opened && !stop_requested()) {
		int connection = lobby_next(&worker.lobby, &waiting, -1, &target);
		if (connection < 0)
			continue;
		take(&worker, connection, &target);
		if (idle)
			idle(idle_context);
	}
	for (int connection; opened && (connection = lobby_last(&worker.lobby, &target)) >= 0;)
		take(&worker, connection, &target);
	lobby_finish(&worker.lobby);
	desk_close(worker.desk);
	return opened ? 0 : 1;
}
