/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_HANDOFF_H
#define LATCHKEY_PROCESS_HANDOFF_H

#include <stdbool.h>

/*
 * Idle connections on their way from a worker that ends to those that stay (a reload): descriptors in
 * messages of a socket pair. The kernel keeps it: a worker that is killed takes no other's along.
 */
struct handoff {
	int in;
	int out;
};

/* False with errno. */
__attribute__((warn_unused_result)) bool handoff_open(struct handoff *handoff);
void handoff_close(struct handoff *handoff);

/* Gives a connection away, and the caller's own descriptor of it is closed. False: too many are on
 * their way, and it is the caller's as before; `in` is writable when there is room. */
__attribute__((warn_unused_result)) bool handoff_put(const struct handoff *handoff, int connection);

/* The connection that was given away first, the caller's; -1: there is none. `out` is readable when
 * there is one, though another may be quicker. */
__attribute__((warn_unused_result)) int handoff_take(const struct handoff *handoff);

#endif
