/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_BASE_ARENA_H
#define LATCHKEY_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

/*
 * Memory that lives as long as one piece of work: a request, a mail, a start.
 *
 * Allocation moves a pointer; nothing is freed alone. arena_reset() gives everything back at
 * once, and overwrites what was used, for it may have held passwords. After a few requests an
 * arena no longer calls malloc at all.
 *
 * Memory that cannot be had ends the process (abort): requests are bounded long before, and a
 * path that is never walked is a path that is wrong.
 */
struct arena {
	struct arena_chunk *first; /* kept over resets */
	struct arena_chunk *current; /* the one being filled */
};

/* Makes an empty arena in the caller's storage; it allocates on first use. */
void arena_init(struct arena *arena);

/* Overwrites and frees everything. A zeroed arena is taken too. */
void arena_finish(struct arena *arena);

/* Overwrites what was used and forgets it; one chunk is kept for the next round. */
void arena_reset(struct arena *arena);

/* size octets, zeroed, aligned for any type. Never NULL. size may be 0. */
__attribute__((malloc, returns_nonnull, alloc_size(2))) void *arena_alloc(
	struct arena *arena, size_t size);

/* A copy of size octets with a NUL after them that is not counted. Never NULL. */
__attribute__((malloc, returns_nonnull)) char *arena_copy(
	struct arena *arena, const void *octets, size_t size);

/* printf into the arena. The caller's format is trusted. Never NULL. */
__attribute__((format(printf, 2, 3), nonnull(2), returns_nonnull)) char *arena_format(
	struct arena *arena, const char *format, ...);
__attribute__((format(printf, 2, 0), nonnull(2), returns_nonnull)) char *arena_format_list(
	struct arena *arena, const char *format, va_list arguments);

#endif
