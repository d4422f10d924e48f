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

#include "process/handoff.h"

static int set_up(void **state)
{
	static struct handoff handoff;
	assert_true(handoff_open(&handoff));
	*state = &handoff;
	return 0;
}

static int tear_down(void **state)
{
	handoff_close(*state);
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

static int take(const struct handoff *handoff, int timeout_ms)
{
	struct pollfd ready = { handoff->out, POLLIN, 0 };
	return poll(&ready, 1, timeout_ms) == 1 ? handoff_take(handoff) : -1;
}

static void what_was_given_first_is_taken_first(void **state)
{
	for (char number = 'a'; number < 'f'; number++)
		assert_true(handoff_put(*state, connection_of(number)));
	for (char number = 'a'; number < 'f'; number++)
		assert_int_equal(number_of(handoff_take(*state)), number);
	assert_int_equal(take(*state, 0), -1);
}

static void so_many_fit_and_the_next_stays_with_the_caller(void **state)
{
	struct pollfd room = { ((struct handoff *)*state)->in, POLLOUT, 0 };
	unsigned waiting = 0;
	int connection;
	while (handoff_put(*state, connection = connection_of('x')))
		waiting++;
	assert_true(waiting >= 8);
	assert_int_equal(number_of(connection), 'x');
	assert_int_equal(poll(&room, 1, 0), 0);
	while (waiting-- > 0)
		close(take(*state, 0));
	assert_int_equal(poll(&room, 1, 0), 1);
	assert_true(handoff_put(*state, connection_of('y')));
	assert_int_equal(number_of(take(*state, 0)), 'y');
	assert_int_equal(take(*state, 0), -1);
}

static void the_callers_descriptor_is_closed_and_the_takers_stays_out_of_programs(void **state)
{
	int connection = connection_of('a');
	assert_true(handoff_put(*state, connection));
	assert_int_equal(fcntl(connection, F_GETFD), -1);
	connection = take(*state, 0);
	assert_true(fcntl(connection, F_GETFD) & FD_CLOEXEC);
	close(connection);
}

/* Who is killed takes nothing along that is on its way. */
static void a_killed_taker_leaves_the_handoff_as_it_is(void **state)
{
	struct handoff *handoff = *state;
	for (int round = 0; round < 20; round++) {
		pid_t process = fork();
		assert_true(process >= 0);
		if (process == 0)
			for (;;)
				close(take(handoff, -1));
		usleep((useconds_t)(round * 100));
		kill(process, SIGKILL);
		waitpid(process, NULL, 0);
	}
	for (char number = 'a'; number < 'f'; number++)
		assert_true(handoff_put(handoff, connection_of(number)));
	for (char number = 'a'; number < 'f'; number++)
		assert_int_equal(number_of(take(handoff, 1000)), number);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_given_first_is_taken_first),
		TEST(so_many_fit_and_the_next_stays_with_the_caller),
		TEST(the_callers_descriptor_is_closed_and_the_takers_stays_out_of_programs),
		TEST(a_killed_taker_leaves_the_handoff_as_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
