/* SPDX-License-Identifier: MIT */
/* Waiting where there is nothing else to do meanwhile. */
#include "base/waiter.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>

#include "base/clock.h"

static bool wait_with_poll(void *context, int descriptor, short events, int64_t deadline)
{
	struct pollfd wanted = { descriptor, events, 0 };
	(void)context;
	for (;;) {
		int64_t left = deadline - clock_monotonic_ms();
		int ready = left > 0 ? poll(&wanted, 1, (int)left) : 0;
		if (ready != 0 && (ready > 0 || errno != EINTR))
			return ready > 0;
		if (left <= 0)
			return false;
	}
}

const struct waiter waiter_poll = { .wait = wait_with_poll };
