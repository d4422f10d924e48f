/* SPDX-License-Identifier: MIT */
/* The one place where a hash is computed. */
#include "passwords/door.h"

static bool compute(const struct hash_order *order, unsigned char *hash)
{
	const struct engine *const *engine = engines;
	while (!(*engine)->applies(order))
		engine++;
	return (*engine)->compute(order, hash);
}

enum hash_result hash_compute(
	const struct hash_order *order, struct hash_pace *pace, unsigned char *hash)
{
	struct hash_pace unknown = { 0 };
	int64_t began = pace_now();
	bool computed =
		compute(order, hash) && pace_keep(pace ? pace : &unknown, order, began, compute);
	return computed ? HASH_DONE : HASH_FAILED;
}

static enum hash_result compute_here(
	void *context, const struct hash_order *order, unsigned char *hash)
{
	return hash_compute(order, context, hash);
}

const struct hash_door hash_door_here = { .compute = compute_here };
