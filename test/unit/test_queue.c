/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "process/queue.h"

#define LENGTH 16

static int set_up(void **state)
{
	static struct queue queue;
	assert_true(queue_open(&queue, LENGTH));
	*state = &queue;
	return 0;
}

static int tear_down(void **state)
{
	queue_close(*state);
	return 0;
}

/* A connection that says its number to whoever has it. */
static int connection_of(char number)
{
	int ends[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(write(ends[1], &number, 1), 1);
	close(ends[1]);
	return ends[0];
}

static char number_of(int connection)
{
	char number = 0;
	assert_true(connection >= 0);
	assert_int_equal(read(connection, &number, 1), 1);
	close(connection);
	return number;
}

static int take(const struct queue *queue, int timeout_ms)
{
	struct pollfd ready = { queue->out, POLLIN, 0 };
	int64_t since;
	return poll(&ready, 1, timeout_ms) == 1 ? queue_take(queue, &since) : -1;
}

static void who_came_first_is_served_first(void **state)
{
	int64_t before = clock_monotonic_ms();
	for (char number = 'a'; number < 'f'; number++)
		assert_true(queue_put(*state, connection_of(number)));
	for (char number = 'a'; number < 'f'; number++) {
		int64_t since = 0;
		assert_int_equal(number_of(queue_take(*state, &since)), number);
		assert_true(since >= before && since <= clock_monotonic_ms());
	}
	assert_int_equal(take(*state, 0), -1);
}

static void so_many_may_wait_and_the_next_stays_with_the_caller(void **state)
{
	unsigned waiting = 0;
	int connection;
	while (queue_put(*state, connection = connection_of('x')))
		waiting++;
	assert_true(waiting >= LENGTH && waiting <= 2 * LENGTH);
	assert_int_equal(number_of(connection), 'x');
	close(take(*state, 0));
	assert_true(queue_put(*state, connection_of('y')));
	while (waiting-- > 0)
		close(take(*state, 0));
	assert_int_equal(take(*state, 0), -1);
}

static void how_long_somebody_has_waited(void **state)
{
	assert_false(queue_waits(*state, INT64_MAX));
	int64_t before = clock_monotonic_ms();
	assert_true(queue_put(*state, connection_of('a')));
	assert_false(queue_waits(*state, before));
	assert_true(queue_waits(*state, clock_monotonic_ms() + 1));
	assert_int_equal(number_of(take(*state, 0)), 'a'); /* a look takes nothing */
	assert_false(queue_waits(*state, INT64_MAX));
}

static void the_callers_descriptor_is_closed_and_the_takers_stays_out_of_programs(void **state)
{
	int connection = connection_of('a');
	assert_true(queue_put(*state, connection));
	assert_int_equal(fcntl(connection, F_GETFD), -1);
	connection = take(*state, 0);
	assert_true(fcntl(connection, F_GETFD) & FD_CLOEXEC);
	close(connection);
}

/* Whoever is killed takes nothing along: not what waits, and no place in the queue. */
static void a_killed_taker_leaves_the_queue_as_it_is(void **state)
{
	struct queue *queue = *state;
	for (int round = 0; round < 20; round++) {
		pid_t process = fork();
		assert_true(process >= 0);
		if (process == 0)
			for (;;)
				close(take(queue, -1));
		usleep((useconds_t)(round * 100));
		kill(process, SIGKILL);
		waitpid(process, NULL, 0);
	}
	for (char number = 'a'; number < 'f'; number++)
		assert_true(queue_put(queue, connection_of(number)));
	for (char number = 'a'; number < 'f'; number++)
		assert_int_equal(number_of(take(queue, 1000)), number);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_came_first_is_served_first),
		TEST(so_many_may_wait_and_the_next_stays_with_the_caller),
		TEST(how_long_somebody_has_waited),
		TEST(the_callers_descriptor_is_closed_and_the_takers_stays_out_of_programs),
		TEST(a_killed_taker_leaves_the_queue_as_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
