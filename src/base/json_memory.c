/* SPDX-License-Identifier: MIT */
/* yajl's memory comes from the arena, so nothing is freed, and all of it is wiped in the end. */
#include "base/json_memory.h"

#include <string.h>

/* The size stands before each block, for a bump allocator does not know it. */
static void *allocate(void *arena, size_t size)
{
	size_t *block = arena_alloc(arena, 16 + size);
	*block = size;
	return (char *)block + 16;
}

static void *reallocate(void *arena, void *old, size_t size)
{
	void *block = allocate(arena, size);
	if (old) {
		size_t before = *(size_t *)(void *)((char *)old - 16);
		memcpy(block, old, before < size ? before : size);
	}
	return block;
}

static void release(void *arena, void *block)
{
	(void)arena;
	(void)block;
}

yajl_alloc_funcs json_memory(struct arena *arena)
{
	return (yajl_alloc_funcs){ allocate, reallocate, release, arena };
}
