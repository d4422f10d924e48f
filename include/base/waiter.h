/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_BASE_WAITER_H
#define LATCHKEY_BASE_WAITER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How a lower room waits without knowing the event loop: it is given one of these at the start. This
 * is the only call that goes upward. While one waits, others of the same process may run, so nothing
 * that they share may be half changed then.
 */
struct waiter {
	void *context;
	/* Until the descriptor is ready for the events (poll(2)), or was closed. May return early:
	 * who calls tries again what was not possible before. False: the deadline (monotonic ms)
	 * has passed. */
	bool (*wait)(void *context, int descriptor, short events, int64_t deadline);
	/* Who runs now, for wake(). NULL in all three: one thing at a time is done here, and nobody
	 * else could wake it. */
	void *(*self)(void *context);
	/* Until wake(); false: the deadline has passed. */
	bool (*suspend)(void *context, int64_t deadline);
	/* Lets one who is suspended go on, soon and not at once. Others are left alone. */
	void (*wake)(void *context, void *who);
};

/* Waits with poll(2) alone, for programs and processes that do one thing at a time. */
extern const struct waiter waiter_poll;

#endif
