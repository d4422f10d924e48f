/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_COMMAND_SERVER_H
#define LATCHKEY_COMMAND_SERVER_H

#include "base/log.h"
#include "command/generation.h"
#include "process/handoff.h"
#include "process/hash_channel.h"
#include "process/listener.h"

/* What the processes of one service have in common. */
struct server {
	const struct options *options;
	struct generation *configuration; /* the one for children to come */
	struct generation configurations[2];
	struct log log;
	struct listener listener;
	struct handoff handoff;
	struct hash_channel channel; /* of the children to come */
};

/* Supervisor, workers, hashers, courier. Returns the exit status. */
int server_supervise(struct server *server);

/* One process that does everything (http.workers = 0). Returns the exit status. */
int server_run_alone(struct server *server);

#endif
