/* SPDX-License-Identifier: MIT */
/* Tasks wait for descriptors, for each other and for time; others run meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "process/loop.h"

struct world {
	struct loop *loop;
	struct waiter waiter;
	int ends[2];
	void *sleeper;
	bool ready;
	unsigned done;
};

static int set_up(void **state)
{
	static struct world world;
	world = (struct world){ .loop = loop_open() };
	assert_non_null(world.loop);
	world.waiter = loop_waiter(world.loop);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, world.ends), 0);
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	assert_int_equal(loop_tasks(world->loop), 0);
	loop_close(world->loop);
	close(world->ends[0]);
	close(world->ends[1]);
	return 0;
}

static void turn(const struct world *world, int64_t milliseconds)
{
	sigset_t none;
	sigemptyset(&none);
	loop_turn(world->loop, &none, clock_monotonic_ms() + milliseconds);
}

static void wait_to_read(void *context)
{
	struct world *world = context;
	const struct waiter *waiter = &world->waiter;
	world->ready =
		waiter->wait(waiter->context, world->ends[0], POLLIN, clock_monotonic_ms() + 50);
	world->done++;
}

static void a_descriptor_is_waited_for(void **state)
{
	struct world *world = *state;
	assert_true(loop_spawn(world->loop, wait_to_read, world));
	turn(world, 0);
	assert_int_equal(world->done, 0);
	assert_int_equal(write(world->ends[1], "x", 1), 1);
	turn(world, 1000);
	assert_int_equal(world->done, 1);
	assert_true(world->ready);
}

/* Each under a number of its own, and one who is watched besides. */
static void several_wait_for_the_same(void **state)
{
	struct world *world = *state;
	for (int i = 0; i < 5; i++)
		assert_true(loop_spawn(world->loop, wait_to_read, world));
	assert_int_equal(loop_tasks(world->loop), 5);
	assert_int_equal(write(world->ends[1], "x", 1), 1);
	for (int i = 0; i < 20 && world->done < 5; i++)
		turn(world, 10);
	assert_int_equal(world->done, 5);
}

static void the_deadline_ends_it(void **state)
{
	struct world *world = *state;
	int64_t began = clock_monotonic_ms();
	assert_true(loop_spawn(world->loop, wait_to_read, world));
	while (world->done == 0)
		turn(world, 1000);
	assert_false(world->ready);
	assert_in_range(clock_monotonic_ms() - began, 50, 10000);
}

static void sleep_until_woken(void *context)
{
	struct world *world = context;
	const struct waiter *waiter = &world->waiter;
	world->sleeper = waiter->self(waiter->context);
	world->ready = waiter->suspend(waiter->context, clock_monotonic_ms() + 10000);
	world->done++;
}

static void wake_the_sleeper(void *context)
{
	const struct world *world = context;
	const struct waiter *waiter = &world->waiter;
	waiter->wake(waiter->context, world->sleeper);
	waiter->wake(waiter->context, world->sleeper); /* once is enough, twice does no harm */
	assert_int_equal(world->done, 0); /* soon, and not at once */
}

static void one_wakes_another(void **state)
{
	struct world *world = *state;
	assert_true(loop_spawn(world->loop, sleep_until_woken, world));
	assert_true(loop_spawn(world->loop, wake_the_sleeper, world));
	turn(world, 1000);
	assert_int_equal(world->done, 1);
	assert_true(world->ready);
}

struct counted {
	struct watch watch; /* must be the first */
	struct world *world;
	struct watch *other;
};

static void end_the_other(struct watch *watch, uint32_t events)
{
	struct counted *counted = (struct counted *)watch;
	(void)events;
	counted->world->done++;
	loop_unwatch(counted->world->loop, counted->other);
}

/* What happened to both in one turn is told of one: the other is not watched any more by then. */
static void who_is_unwatched_hears_nothing(void **state)
{
	struct world *world = *state;
	struct counted one = { { world->ends[0], end_the_other }, world, NULL };
	struct counted other = { { world->ends[1], end_the_other }, world, &one.watch };
	one.other = &other.watch;
	assert_true(loop_watch(world->loop, &one.watch, EPOLLOUT));
	assert_true(loop_watch(world->loop, &other.watch, EPOLLOUT));
	turn(world, 1000);
	assert_int_equal(world->done, 1);
	loop_unwatch(world->loop, &one.watch);
	loop_unwatch(world->loop, &other.watch);
}

static void count(void *context)
{
	struct world *world = context;
	const struct waiter *waiter = &world->waiter;
	for (int i = 0; i < 10; i++)
		waiter->suspend(waiter->context, 0); /* lets the others run */
	world->done++;
}

static void many_take_turns(void **state)
{
	struct world *world = *state;
	for (int i = 0; i < 500; i++)
		assert_true(loop_spawn(world->loop, count, world));
	for (int i = 0; i < 11; i++)
		turn(world, 0);
	assert_int_equal(world->done, 500);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_descriptor_is_waited_for),
		TEST(several_wait_for_the_same),
		TEST(the_deadline_ends_it),
		TEST(one_wakes_another),
		TEST(who_is_unwatched_hears_nothing),
		TEST(many_take_turns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
