/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdalign.h>
#include <string.h>

#include "base/arena.h"

static void memory_is_zeroed_aligned_and_apart(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena);
	char *before = NULL;
	for (size_t size = 0; size < 3000; size += 7) {
		char *at = arena_alloc(&arena, size);
		assert_int_equal((uintptr_t)at % alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(at[i], 0);
		memset(at, 0xff, size);
		assert_true(at != before || size == 7);
		before = at;
	}
	arena_finish(&arena);
}

static void large_blocks_fit(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena);
	char *large = arena_alloc(&arena, 5000000);
	large[4999999] = 1;
	char *small = arena_alloc(&arena, 1);
	assert_true(small < large || small >= large + 5000000);
	arena_finish(&arena);
}

static void a_reset_wipes_and_keeps_a_chunk(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena);
	char *secret = arena_copy(&arena, "secret", 6);
	arena_reset(&arena);
	char *again = arena_alloc(&arena, 1);
	assert_ptr_equal(secret, again);
	assert_memory_equal(secret, "\0\0\0\0\0\0", 6);
	arena_finish(&arena);
}

static void copies_end_in_a_nul(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena);
	assert_memory_equal(arena_copy(&arena, "a\0b", 3), "a\0b\0", 4);
	assert_string_equal(arena_copy(&arena, NULL, 0), "");
	assert_string_equal(arena_format(&arena, "%s-%d", "x", 7), "x-7");
	arena_finish(&arena);
}

static void nothing_was_used_is_fine(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	arena_reset(&arena);
	arena_finish(&arena);
	arena_finish(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_aligned_and_apart),
		cmocka_unit_test(large_blocks_fit),
		cmocka_unit_test(a_reset_wipes_and_keeps_a_chunk),
		cmocka_unit_test(copies_end_in_a_nul),
		cmocka_unit_test(nothing_was_used_is_fine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
