/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PASSWORDS_PACE_H
#define LATCHKEY_PASSWORDS_PACE_H

#include "passwords/engine.h"

/*
 * A hash that is cheaper than today's, for it was made at an earlier cost, takes as long all the
 * same: else the time of a wrong password tells that there is an account, and how old it is. What is
 * lacking is spent on hashes that are thrown away. How much that is goes by processor time: memory
 * times passes is not it, for less memory stays in the processor's caches.
 */

/* What a hash of the present cost takes in this process. A zeroed one knows nothing yet, and goes by
 * memory times passes (up to a tenth too short). */
struct hash_pace {
	uint32_t memory; /* KiB */
	uint32_t passes;
	int64_t nanoseconds; /* of processor time: the median, of late; 0: not known */
};

/* Processor time of this thread in nanoseconds. */
int64_t pace_now(void);

typedef bool pace_compute(const struct hash_order *order, unsigned char *hash);

/* The order was begun at that pace_now() and has been computed: spends what is lacking to the order's
 * pace, with the given function, or learns how long such a hash takes. False where memory cannot be
 * had. */
__attribute__((warn_unused_result)) bool pace_keep(struct hash_pace *pace,
	const struct hash_order *order, int64_t began, pace_compute *compute);

#endif
