/* SPDX-License-Identifier: MIT */
/* Each hash that is thrown away is made as large as the time that is lacking says; it takes a little
 * less than that, and so does the next. */
#include "passwords/pace.h"

#include <time.h>

#include "base/secret.h"

#define MEMORY_MINIMUM 8 /* KiB: RFC 9106 section 3.1 */
#define HASH_SIZE 32
#define LEARN 64 /* the median moves by so much of itself */
#define EXACT 64 /* so much of it may lack */
#define ROUNDS 4 /* are more than enough */

int64_t pace_now(void)
{
	struct timespec now = { 0 };
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Steps towards what is seen end at the median, however slow some hashes are. */
static void learn(struct hash_pace *pace, const struct hash_order *order, int64_t nanoseconds)
{
	if (pace->memory != order->memory || pace->passes != order->passes ||
		pace->nanoseconds <= 0) {
		*pace = (struct hash_pace){ order->memory, order->passes, nanoseconds };
		return;
	}
	int64_t step = pace->nanoseconds / LEARN;
	int64_t off = nanoseconds - pace->nanoseconds;
	pace->nanoseconds += off > step ? step : off < -step ? -step : off;
}

static bool waste(const struct hash_order *order, uint64_t memory, pace_compute *compute)
{
	struct hash_order wasted = *order;
	unsigned char hash[HASH_SIZE];
	if (memory < MEMORY_MINIMUM)
		return true;
	wasted.memory = (uint32_t)memory;
	wasted.passes = order->pace_passes;
	wasted.lanes = 1;
	wasted.hash_size = sizeof(hash);
	bool computed = compute(&wasted, hash);
	secret_cleanse(hash, sizeof(hash));
	return computed;
}

/* The same by what is known beforehand. */
static bool waste_by_cost(const struct hash_order *order, pace_compute *compute)
{
	uint64_t had = (uint64_t)order->memory * order->passes;
	uint64_t wanted = (uint64_t)order->pace_memory * order->pace_passes;
	return wanted <= had || waste(order, (wanted - had) / order->pace_passes, compute);
}

bool pace_keep(struct hash_pace *pace, const struct hash_order *order, int64_t began,
	pace_compute *compute)
{
	if (order->pace_memory == 0)
		return true;
	if (order->memory == order->pace_memory && order->passes == order->pace_passes &&
		order->lanes == 1) {
		learn(pace, order, pace_now() - began);
		return true;
	}
	if (pace->memory != order->pace_memory || pace->passes != order->pace_passes ||
		pace->nanoseconds <= 0)
		return waste_by_cost(order, compute);
	for (int i = 0; i < ROUNDS; i++) {
		int64_t left = pace->nanoseconds - (pace_now() - began);
		if (left < pace->nanoseconds / EXACT)
			break;
		if (!waste(order, order->pace_memory * (uint64_t)left / (uint64_t)pace->nanoseconds,
			    compute))
			return false;
	}
	return true;
}
