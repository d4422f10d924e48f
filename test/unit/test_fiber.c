/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/fiber.h"

#define FIBERS 50
#define ROUNDS 200

struct counter {
	struct fiber *fiber;
	int *shared;
	int own;
};

static void count(void *context)
{
	struct counter *counter = context;
	for (int before = *counter->shared;;) {
		counter->own++;
		*counter->shared = before + 1;
		fiber_pause(counter->fiber);
		before = *counter->shared;
	}
}

/* Locals survive the pauses of others, and only one runs at a time. */
static void test_take_turns(void **state)
{
	(void)state;
	int shared = 0;
	struct counter counters[FIBERS];
	for (int i = 0; i < FIBERS; i++) {
		counters[i] = (struct counter){ .shared = &shared };
		counters[i].fiber = fiber_open(count, &counters[i]);
		assert_non_null(counters[i].fiber);
	}
	for (int round = 1; round <= ROUNDS; round++)
		for (int i = 0; i < FIBERS; i++) {
			fiber_resume(counters[i].fiber);
			assert_int_equal(counters[i].own, round);
		}
	assert_int_equal(shared, FIBERS * ROUNDS);
	for (int i = 0; i < FIBERS; i++)
		fiber_close(counters[i].fiber);
}

static unsigned descend(struct fiber *fiber, unsigned depth)
{
	volatile char room[1024];
	for (size_t i = 0; i < sizeof(room); i++)
		room[i] = (char)depth;
	if (depth % 50 == 0)
		fiber_pause(fiber);
	unsigned below = depth > 0 ? descend(fiber, depth - 1) : 0;
	return below + (unsigned char)room[sizeof(room) - 1];
}

struct diver {
	struct fiber *fiber;
	unsigned depth;
	unsigned sum;
};

static void dive(void *context)
{
	struct diver *diver = context;
	diver->sum = descend(diver->fiber, diver->depth);
	for (;;)
		fiber_pause(diver->fiber);
}

/* As deep as libraries go, paused on the way. */
static void test_deep_stack(void **state)
{
	(void)state;
	struct diver diver = { .depth = 250 };
	diver.fiber = fiber_open(dive, &diver);
	assert_non_null(diver.fiber);
	for (int i = 0; i <= 6; i++)
		fiber_resume(diver.fiber);
	assert_int_equal(diver.sum, 250 * 251 / 2);
	fiber_close(diver.fiber);
}

/* Whoever goes deeper than there is room for ends, and writes over nobody. */
static void test_overflow(void **state)
{
	(void)state;
	pid_t child = fork();
	if (child == 0) {
		struct diver diver = { .depth = 1 << 20 };
		diver.fiber = fiber_open(dive, &diver);
		signal(SIGSEGV, SIG_DFL);
		for (;;)
			fiber_resume(diver.fiber);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
}

static void test_close(void **state)
{
	(void)state;
	struct counter counter = { NULL, &(int){ 0 }, 0 };
	fiber_close(NULL);
	for (int i = 0; i < 10000; i++) { /* more than could be had at once */
		struct fiber *fiber = fiber_open(count, &counter);
		assert_non_null(fiber);
		fiber_close(fiber);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_take_turns),
		cmocka_unit_test(test_deep_stack),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_close),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
