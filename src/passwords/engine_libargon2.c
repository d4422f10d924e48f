/* SPDX-License-Identifier: MIT */
/* The reference implementation, which Debian builds without vector instructions. */
#include <argon2.h>
#include <stdlib.h>

#include "passwords/engine.h"

/* libargon2's allocator hooks have no argument of their own. */
static _Thread_local struct hash_memory lent;

static int allocate(uint8_t **memory, size_t size)
{
	*memory = size <= lent.size ? lent.at : malloc(size);
	return *memory ? ARGON2_OK : ARGON2_MEMORY_ALLOCATION_ERROR;
}

static void give_back(uint8_t *memory, size_t size)
{
	(void)size;
	if (memory != lent.at)
		free(memory);
}

static bool applies(const struct hash_order *order)
{
	(void)order;
	return true;
}

static bool compute(const struct hash_order *order, unsigned char *hash)
{
	argon2_context context = {
		.out = hash,
		.outlen = (uint32_t)order->hash_size,
		.pwd = (uint8_t *)(uintptr_t)order->password.at,
		.pwdlen = (uint32_t)order->password.length,
		.salt = (uint8_t *)(uintptr_t)order->salt,
		.saltlen = (uint32_t)order->salt_size,
		.t_cost = order->passes,
		.m_cost = order->memory,
		.lanes = order->lanes,
		.threads = order->lanes,
		.version = ARGON2_VERSION_13,
		.allocate_cbk = allocate,
		.free_cbk = give_back,
		.flags = ARGON2_DEFAULT_FLAGS,
	};
	lent = order->work;
	int result = argon2id_ctx(&context);
	lent = (struct hash_memory){ NULL, 0 };
	return result == ARGON2_OK;
}

const struct engine engine_libargon2 = {
	.name = "libargon2",
	.applies = applies,
	.compute = compute,
};
