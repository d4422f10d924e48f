/* SPDX-License-Identifier: MIT */
#include "process/worker.h"

#include <errno.h>
#include <string.h>

#include "api/answer.h"
#include "process/desk.h"
#include "process/lobby.h"
#include "process/stop.h"

/* What costs a hash is passed on, unless the queue is full: then it is told so here. */
static void take(struct desk *desk, const struct context *context, const struct queue *queue,
	int connection, const struct target *target)
{
	if (!queue || !api_hashes(context->settings, target) || !queue_put(queue, connection))
		desk_serve(desk, connection, !queue);
}

int worker_run(int listener, const struct context *context, const struct queue *queue,
	worker_idle *idle, void *idle_context)
{
	struct lobby lobby;
	struct target target;
	sigset_t waiting;
	struct desk *desk = desk_open(context);
	bool opened = lobby_open(&lobby, listener) && desk;
	if (!opened)
		log_error(context->log, "worker_failed", "no connection can be waited for: %s",
			strerror(errno));
	stop_prepare(&waiting); /* after libfcgi, which sets handlers of its own */
	while (opened && !stop_requested()) {
		int connection = lobby_next(&lobby, &waiting, &target);
		if (connection < 0)
			continue;
		take(desk, context, queue, connection, &target);
		if (idle)
			idle(idle_context);
	}
	for (int connection; opened && (connection = lobby_last(&lobby, &target)) >= 0;)
		take(desk, context, queue, connection, &target);
	lobby_finish(&lobby);
	desk_close(desk);
	return opened ? 0 : 1;
}
