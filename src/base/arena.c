/* SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

#define CHUNK_SIZE ((size_t)32 * 1024)
#define ALIGNMENT alignof(max_align_t)

struct arena_chunk {
	struct arena_chunk *next;
	size_t size;
	size_t used;
	alignas(ALIGNMENT) char octets[];
};

void arena_init(struct arena *arena)
{
	*arena = (struct arena){ NULL, NULL };
}

static struct arena_chunk *chunk_create(size_t size)
{
	struct arena_chunk *chunk = malloc(sizeof(*chunk) + size);
	if (!chunk) {
		fprintf(stderr, "latchkey: no memory for %zu octets\n", size);
		abort();
	}
	chunk->next = NULL;
	chunk->size = size;
	chunk->used = 0;
	return chunk;
}

static void chunk_wipe(struct arena_chunk *chunk)
{
	secret_cleanse(chunk->octets, chunk->used);
	chunk->used = 0;
}

static void chunks_free(struct arena_chunk *chunk)
{
	while (chunk) {
		struct arena_chunk *next = chunk->next;
		chunk_wipe(chunk);
		free(chunk);
		chunk = next;
	}
}

void arena_finish(struct arena *arena)
{
	chunks_free(arena->first);
	arena_init(arena);
}

void arena_reset(struct arena *arena)
{
	if (!arena->first)
		return;
	chunks_free(arena->first->next);
	arena->first->next = NULL;
	chunk_wipe(arena->first);
	arena->current = arena->first;
}

/* A chunk that has room for size octets, which is then the current one. */
static struct arena_chunk *chunk_with(struct arena *arena, size_t size)
{
	struct arena_chunk *current = arena->current;
	if (current && current->size - current->used >= size)
		return current;
	struct arena_chunk *chunk = chunk_create(size > CHUNK_SIZE ? size : CHUNK_SIZE);
	if (current)
		current->next = chunk;
	else
		arena->first = chunk;
	arena->current = chunk;
	return chunk;
}

static size_t round_up(size_t size)
{
	size_t rounded = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
	if (rounded < size)
		abort(); /* a size that wraps around is a bug in the caller */
	return rounded;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	size_t rounded = round_up(size);
	struct arena_chunk *chunk = chunk_with(arena, rounded);
	void *at = chunk->octets + chunk->used;
	chunk->used += rounded;
	return memset(at, 0, rounded);
}

char *arena_copy(struct arena *arena, const void *octets, size_t size)
{
	char *copy = arena_alloc(arena, size + 1);
	if (size > 0)
		memcpy(copy, octets, size);
	return copy;
}

char *arena_format_list(struct arena *arena, const char *format, va_list arguments)
{
	/* most strings fit in what is left of the chunk, so they are written there at once */
	struct arena_chunk *chunk = chunk_with(arena, 1);
	char *string = chunk->octets + chunk->used;
	size_t room = chunk->size - chunk->used;
	va_list again;
	va_copy(again, arguments);
	int length = vsnprintf(string, room, format, arguments);
	if (length < 0)
		abort(); /* a format that the C library refuses is a bug */
	if ((size_t)length < room) {
		chunk->used += round_up((size_t)length + 1);
	} else {
		secret_cleanse(string, room); /* it is not counted as used */
		string = arena_alloc(arena, (size_t)length + 1);
		vsnprintf(string, (size_t)length + 1, format, again);
	}
	va_end(again);
	return string;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *string = arena_format_list(arena, format, arguments);
	va_end(arguments);
	return string;
}
