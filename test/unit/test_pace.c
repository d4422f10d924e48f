/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "passwords/pace.h"

/* Stands in for a processor: what a hash takes is its memory times its passes, but what fits a cache
 * takes half. */
static int64_t spent;
static int hashes;
static uint32_t largest;

static bool compute(const struct hash_order *order, unsigned char *hash)
{
	int64_t began = pace_now();
	int64_t cost = (int64_t)order->memory * order->passes * 4000;
	cost = order->memory <= 64 ? cost / 2 : cost;
	while (pace_now() - began < cost) {
	}
	spent += cost;
	hashes++;
	largest = order->memory > largest ? order->memory : largest;
	hash[order->hash_size - 1] = 1;
	return true;
}

static int64_t take(struct hash_pace *pace, uint32_t memory, uint32_t passes, uint32_t lanes)
{
	struct hash_order order = { .memory = memory,
		.passes = passes,
		.lanes = lanes,
		.hash_size = 32,
		.pace_memory = 128,
		.pace_passes = 2 };
	unsigned char hash[32];
	int64_t began = pace_now();
	spent = 0;
	hashes = 0;
	largest = 0;
	compute(&order, hash);
	assert_true(pace_keep(pace, &order, began, compute));
	return spent;
}

#define FULL (128 * 2 * 4000)

static void a_hash_of_todays_cost_is_all(void **state)
{
	struct hash_pace pace = { 0 };
	(void)state;
	assert_int_equal(take(&pace, 128, 2, 1), FULL);
	assert_int_equal(hashes, 1);
	assert_in_range(pace.nanoseconds, FULL, FULL * 2);
}

static void who_knows_nothing_goes_by_memory_and_passes(void **state)
{
	struct hash_pace pace = { 0 };
	(void)state;
	assert_int_equal(take(&pace, 100, 2, 1), 100 * 2 * 4000 + 28 * 2 * 4000 / 2);
	assert_int_equal(hashes, 2);
	assert_int_equal(take(&pace, 200, 3, 1), 200 * 3 * 4000); /* costlier than today */
	assert_int_equal(
		take(&pace, 127, 2, 1), 127 * 2 * 4000); /* less than one can make up for */
	assert_int_equal(pace.nanoseconds, 0);
}

static void who_has_seen_one_takes_as_long(void **state)
{
	static const struct {
		uint32_t memory, passes, lanes;
	} rows[] = { { 8, 1, 1 }, { 64, 2, 1 }, { 65, 2, 1 }, { 96, 2, 1 }, { 128, 1, 1 },
		{ 128, 1, 4 } };
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hash_pace pace = { 128, 2, FULL };
		int64_t took = take(&pace, rows[i].memory, rows[i].passes, rows[i].lanes);
		assert_in_range(took, FULL * 9 / 10, FULL + FULL / 32);
		assert_in_range(hashes, 2, 5);
		assert_in_range(largest, 1, 128); /* there is memory for no larger one */
	}
}

static void what_was_learnt_of_another_cost_is_forgotten(void **state)
{
	struct hash_pace pace = { 64, 2, 1 };
	(void)state;
	take(&pace, 64, 1, 1);
	assert_int_equal(hashes, 2); /* by memory and passes */
	take(&pace, 128, 2, 1);
	assert_int_equal(pace.memory, 128);
	assert_in_range(pace.nanoseconds, FULL, FULL * 2);
}

static void one_slow_hash_moves_little(void **state)
{
	struct hash_pace pace = { 128, 2, FULL / 100 };
	(void)state;
	take(&pace, 128, 2, 1);
	assert_in_range(pace.nanoseconds, FULL / 100, FULL / 100 * 102 / 100);
}

static void without_a_pace_nothing_is_added(void **state)
{
	struct hash_pace pace = { 128, 2, FULL };
	struct hash_order order = { .memory = 8, .passes = 1, .lanes = 1, .hash_size = 32 };
	(void)state;
	hashes = 0;
	assert_true(pace_keep(&pace, &order, pace_now(), compute));
	assert_int_equal(hashes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hash_of_todays_cost_is_all),
		cmocka_unit_test(who_knows_nothing_goes_by_memory_and_passes),
		cmocka_unit_test(who_has_seen_one_takes_as_long),
		cmocka_unit_test(what_was_learnt_of_another_cost_is_forgotten),
		cmocka_unit_test(one_slow_hash_moves_little),
		cmocka_unit_test(without_a_pace_nothing_is_added),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
