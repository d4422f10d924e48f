/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_LISTENER_H
#define LATCHKEY_PROCESS_LISTENER_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/settings.h"

/* The listening socket, inherited or made. Non-blocking, closed on exec. */
struct listener {
	int socket;
	const char *path; /* of the socket that was made, to be removed at the end; else NULL */
};

/*
 * Takes fd 0 where that is a listening socket (spawn-fcgi, mod_fcgid, lighttpd), else the one that
 * systemd passes (LISTEN_FDS), else makes the one of http.listen: a path ("unix:" may stand before
 * it), or address:port of an interface that is not public. Returns NULL, or what is wrong and what
 * to do about it, in the arena. The path of a socket that nobody answers is taken over.
 */
__attribute__((warn_unused_result)) const char *listener_open(
	struct listener *listener, const struct settings *settings, struct arena *arena);

/* Closes, and removes what was made. */
void listener_close(struct listener *listener);

#endif
