/* SPDX-License-Identifier: MIT */
/*
 * Slots are about other processes, so each test has helpers: children that take and give when
 * they are told to, through a pipe, and that can be killed at a moment the test chooses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "passwords/slots.h"

#define WORKERS 8
#define LONG_MS 60000
#define DEADLINE_S 120 /* a test that hangs has failed */

enum { TAKE = 't', WAIT = 'w', GIVE = 'g' };
enum { YES = 'y', NO = 'n', BEGUN = 'b' };

struct helper {
	pid_t process;
	int orders;
	int answers;
};

static void send_octet(int descriptor, char octet)
{
	if (write(descriptor, &octet, 1) != 1)
		abort();
}

static char receive_octet(int descriptor)
{
	char octet;
	return read(descriptor, &octet, 1) == 1 ? octet : '\0';
}

static void help(struct slots *slots, int orders, int answers)
{
	for (char order; (order = receive_octet(orders)) != '\0';) {
		if (order == GIVE)
			slots_give(slots);
		if (order == WAIT)
			send_octet(answers, BEGUN);
		if (order == GIVE)
			send_octet(answers, YES);
		else
			send_octet(
				answers, slots_take(slots, order == WAIT ? LONG_MS : 0) ? YES : NO);
	}
	_exit(0);
}

static struct helper helper_start(struct slots *slots)
{
	int orders[2];
	int answers[2];
	assert_int_equal(pipe2(orders, O_CLOEXEC), 0);
	assert_int_equal(pipe2(answers, O_CLOEXEC), 0);
	pid_t process = fork();
	assert_true(process >= 0);
	if (process == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(orders[1]);
		close(answers[0]);
		help(slots, orders[0], answers[1]);
	}
	close(orders[0]);
	close(answers[1]);
	return (struct helper){ process, orders[1], answers[0] };
}

/* Kills it wherever it is, as the kernel's out-of-memory killer would, and does what the
 * supervisor does then. */
static void helper_kill(struct helper *helper, struct slots *slots)
{
	kill(helper->process, SIGKILL);
	assert_int_equal(waitpid(helper->process, NULL, 0), helper->process);
	close(helper->orders);
	close(helper->answers);
	slots_reclaim(slots, helper->process);
}

static bool ask(struct helper *helper, char order)
{
	send_octet(helper->orders, order);
	char answer = receive_octet(helper->answers);
	if (answer == BEGUN)
		answer = receive_octet(helper->answers);
	assert_true(answer == YES || answer == NO);
	return answer == YES;
}

static bool is_asleep(pid_t process)
{
	char path[64];
	char line[512] = "";
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)process);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(fgets(line, sizeof(line), file));
	fclose(file);
	const char *after_name = strrchr(line, ')');
	return after_name && after_name[2] == 'S';
}

/* Sends it to wait, and returns when it does: between BEGUN and its answer it sleeps nowhere
 * else. */
static void let_wait(struct helper *helper)
{
	send_octet(helper->orders, WAIT);
	assert_int_equal(receive_octet(helper->answers), BEGUN);
	while (!is_asleep(helper->process))
		usleep(100);
}

static bool answered_yes(struct helper *helper)
{
	return receive_octet(helper->answers) == YES;
}

static void only_so_many_hold_at_once(void **state)
{
	(void)state;
	struct slots *slots = slots_open(2, 0, WORKERS, 0);
	assert_non_null(slots);
	struct helper a = helper_start(slots);
	struct helper b = helper_start(slots);
	struct helper c = helper_start(slots);
	assert_true(ask(&a, TAKE));
	assert_true(ask(&b, TAKE));
	assert_false(ask(&c, TAKE));
	assert_true(ask(&a, GIVE));
	assert_true(ask(&c, TAKE));
	assert_false(ask(&a, TAKE));
	helper_kill(&a, slots);
	helper_kill(&b, slots);
	helper_kill(&c, slots);
	slots_close(slots);
}

static void giving_what_is_not_held_adds_nothing(void **state)
{
	(void)state;
	struct slots *slots = slots_open(1, 0, WORKERS, 0);
	struct helper a = helper_start(slots);
	struct helper b = helper_start(slots);
	assert_true(ask(&a, GIVE));
	assert_true(ask(&a, TAKE));
	assert_true(ask(&b, GIVE));
	assert_false(ask(&b, TAKE));
	assert_true(ask(&a, GIVE));
	assert_true(ask(&a, GIVE));
	assert_true(ask(&a, TAKE));
	assert_false(ask(&b, TAKE));
	helper_kill(&a, slots);
	helper_kill(&b, slots);
	slots_close(slots);
}

static void who_waits_gets_what_is_given(void **state)
{
	(void)state;
	struct slots *slots = slots_open(1, 2, WORKERS, 0);
	struct helper holder = helper_start(slots);
	struct helper waiter = helper_start(slots);
	struct helper other = helper_start(slots);
	assert_true(ask(&holder, TAKE));
	let_wait(&waiter);
	let_wait(&other);
	assert_true(ask(&holder, GIVE));
	/* one of the two has it now, and hands it on */
	char first[2] = { '\0', '\0' };
	fcntl(waiter.answers, F_SETFL, O_NONBLOCK);
	fcntl(other.answers, F_SETFL, O_NONBLOCK);
	while (read(waiter.answers, &first[0], 1) != 1 && read(other.answers, &first[1], 1) != 1)
		usleep(100);
	fcntl(waiter.answers, F_SETFL, 0);
	fcntl(other.answers, F_SETFL, 0);
	assert_true(first[0] == YES || first[1] == YES);
	assert_true(ask(first[0] == YES ? &waiter : &other, GIVE));
	assert_true(answered_yes(first[0] == YES ? &other : &waiter));
	helper_kill(&holder, slots);
	helper_kill(&waiter, slots);
	helper_kill(&other, slots);
	slots_close(slots);
}

static void too_many_waiters_are_refused_at_once(void **state)
{
	(void)state;
	struct slots *slots = slots_open(1, 1, WORKERS, 0);
	struct helper holder = helper_start(slots);
	struct helper waiter = helper_start(slots);
	struct helper late = helper_start(slots);
	assert_true(ask(&holder, TAKE));
	let_wait(&waiter);
	for (int i = 0; i < 50; i++)
		assert_false(ask(&late, WAIT)); /* would take a minute, and the test its life */
	assert_true(ask(&holder, GIVE));
	assert_true(answered_yes(&waiter));
	let_wait(&late);
	assert_true(ask(&waiter, GIVE));
	assert_true(answered_yes(&late));
	helper_kill(&holder, slots);
	helper_kill(&waiter, slots);
	helper_kill(&late, slots);
	slots_close(slots);
}

static void nobody_waits_where_waiting_is_zero(void **state)
{
	(void)state;
	struct slots *slots = slots_open(1, 0, WORKERS, 0);
	struct helper holder = helper_start(slots);
	struct helper late = helper_start(slots);
	assert_true(ask(&holder, TAKE));
	assert_false(ask(&late, WAIT));
	helper_kill(&holder, slots);
	assert_true(ask(&late, WAIT));
	helper_kill(&late, slots);
	slots_close(slots);
}

static void on_alarm(int signal)
{
	(void)signal;
}

/* Signals neither end the wait early nor make it begin anew. */
static void the_time_is_bounded_under_signals(void **state)
{
	(void)state;
	struct slots *slots = slots_open(1, 1, WORKERS, 0);
	struct helper holder = helper_start(slots);
	assert_true(ask(&holder, TAKE));
	const struct sigaction action = { .sa_handler = on_alarm }; /* no SA_RESTART */
	struct sigaction before;
	const struct itimerval often = { { 0, 1000 }, { 0, 1000 } };
	const struct itimerval never = { { 0, 0 }, { 0, 0 } };
	unsigned left = alarm(0);
	sigaction(SIGALRM, &action, &before);
	setitimer(ITIMER_REAL, &often, NULL);
	int64_t begun = clock_monotonic_ms();
	bool taken = slots_take(slots, 30);
	int64_t took = clock_monotonic_ms() - begun;
	setitimer(ITIMER_REAL, &never, NULL);
	sigaction(SIGALRM, &before, NULL);
	alarm(left);
	assert_false(taken);
	assert_true(took >= 29);
	/* and the place to wait is free again */
	struct helper waiter = helper_start(slots);
	let_wait(&waiter);
	assert_true(ask(&holder, GIVE));
	assert_true(answered_yes(&waiter));
	helper_kill(&holder, slots);
	helper_kill(&waiter, slots);
	slots_close(slots);
}

static void a_killed_holder_takes_nothing_with_it(void **state)
{
	(void)state;
	struct slots *slots = slots_open(1, 1, WORKERS, 0);
	for (int i = 0; i < 50; i++) {
		struct helper holder = helper_start(slots);
		struct helper waiter = helper_start(slots);
		assert_true(ask(&holder, TAKE));
		let_wait(&waiter);
		helper_kill(&holder, slots);
		assert_true(answered_yes(&waiter));
		helper_kill(&waiter, slots);
	}
	slots_close(slots);
}

static void a_killed_waiter_does_not_count_for_ever(void **state)
{
	(void)state;
	struct slots *slots = slots_open(1, 1, WORKERS, 0);
	struct helper holder = helper_start(slots);
	struct helper last = helper_start(slots);
	assert_true(ask(&holder, TAKE));
	for (int i = 0; i < 50; i++) {
		struct helper waiter = helper_start(slots);
		let_wait(&waiter);
		helper_kill(&waiter, slots);
	}
	let_wait(&last);
	assert_true(ask(&holder, GIVE));
	assert_true(answered_yes(&last));
	assert_false(ask(&holder, TAKE));
	helper_kill(&holder, slots);
	helper_kill(&last, slots);
	slots_close(slots);
}

static void reclaiming_a_stranger_changes_nothing(void **state)
{
	(void)state;
	struct slots *slots = slots_open(1, 0, WORKERS, 0);
	struct helper holder = helper_start(slots);
	struct helper late = helper_start(slots);
	assert_true(ask(&holder, TAKE));
	slots_reclaim(slots, getpid());
	assert_false(ask(&late, TAKE));
	helper_kill(&holder, slots);
	helper_kill(&late, slots);
	slots_close(slots);
}

#define MEMORY_SIZE ((size_t)64 * 4096)

/* In a child, as workers use it: writes into the memory of a slot and says what was there. */
static int mark_in_child(struct slots *slots, char mark)
{
	int status;
	pid_t process = fork();
	assert_true(process >= 0);
	if (process == 0) {
		if (!slots_take(slots, 0))
			_exit(255);
		struct hash_memory memory = slots_memory(slots);
		char before =
			memory.size == MEMORY_SIZE ? ((char *)memory.at)[MEMORY_SIZE - 1] : 'x';
		memset(memory.at, mark, memory.size);
		slots_give(slots);
		_exit(before);
	}
	assert_int_equal(waitpid(process, &status, 0), process);
	return WEXITSTATUS(status);
}

static bool keeper_was_told(const sigset_t *told)
{
	return sigtimedwait(told, NULL, &(struct timespec){ 0, 0 }) == SIGUSR1;
}

static void memory_stays_while_it_is_used_and_goes_with_what_is_in_it(void **state)
{
	(void)state;
	sigset_t told;
	sigemptyset(&told);
	sigaddset(&told, SIGUSR1);
	sigprocmask(SIG_BLOCK, &told, NULL);
	struct slots *slots = slots_open(1, 0, WORKERS, MEMORY_SIZE);
	assert_int_equal(slots_tend(slots), -1);
	assert_int_equal(mark_in_child(slots, 'a'), 0);
	assert_true(keeper_was_told(&told));
	assert_int_equal(mark_in_child(slots, 'b'), 'a'); /* the next worker's is the same */
	assert_false(keeper_was_told(&told));
	assert_true(slots_tend(slots) > 0);
	assert_int_equal(mark_in_child(slots, 'c'), 'b');
	assert_true(slots_tend(slots) > 0); /* there was a hash since */
	assert_int_equal(slots_tend(slots), -1);
	assert_int_equal(mark_in_child(slots, 'd'), 0);
	assert_true(keeper_was_told(&told));
	slots_close(slots);
	sigprocmask(SIG_UNBLOCK, &told, NULL);
}

static void memory_is_not_taken_from_who_holds_the_slot(void **state)
{
	(void)state;
	struct slots *slots = slots_open(1, 0, WORKERS, MEMORY_SIZE);
	assert_ptr_equal(slots_memory(slots).at, NULL); /* none is held */
	assert_true(slots_take(slots, 0));
	char *at = slots_memory(slots).at;
	at[0] = 'a';
	for (int i = 0; i < 3; i++)
		assert_true(slots_tend(slots) > 0);
	assert_int_equal(at[0], 'a');
	slots_give(slots);
	assert_int_equal(slots_tend(slots), -1);
	assert_int_equal(at[0], 0);
	slots_close(slots);
}

/* What busy workers share with the test: who is inside, and whether there were ever too many. */
struct floor {
	atomic_int inside[WORKERS];
	atomic_int too_many;
	atomic_uint taken;
};

static pid_t busy_start(struct slots *slots, struct floor *shared, int number, int count)
{
	pid_t process = fork();
	assert_true(process >= 0);
	if (process > 0)
		return process;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		if (!slots_take(slots, LONG_MS))
			continue;
		atomic_store(&shared->inside[number], 1);
		int inside = 0;
		for (int i = 0; i < WORKERS; i++)
			inside += atomic_load(&shared->inside[i]);
		if (inside > count)
			atomic_store(&shared->too_many, 1);
		atomic_fetch_add(&shared->taken, 1);
		atomic_store(&shared->inside[number], 0);
		slots_give(slots);
	}
}

static void busy_kill(struct slots *slots, struct floor *shared, int number, pid_t process)
{
	kill(process, SIGKILL);
	assert_int_equal(waitpid(process, NULL, 0), process);
	atomic_store(&shared->inside[number], 0);
	slots_reclaim(slots, process);
}

static void exactly_so_many_are_free(struct slots *slots, int count)
{
	struct helper helpers[WORKERS];
	for (int i = 0; i <= count; i++) {
		helpers[i] = helper_start(slots);
		assert_int_equal(ask(&helpers[i], TAKE), i < count);
	}
	for (int i = 0; i <= count; i++)
		helper_kill(&helpers[i], slots);
}

/* Workers come and go so fast that kills hit every step of taking, waiting and giving. */
static void kills_at_any_moment_neither_lose_nor_make_a_slot(void **state)
{
	(void)state;
	enum { COUNT = 2, ROUNDS = 500 };
	struct slots *slots = slots_open(COUNT, WORKERS, WORKERS, 0);
	struct floor *shared = mmap(
		NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(shared, MAP_FAILED);
	pid_t busy[WORKERS];
	for (int i = 0; i < WORKERS; i++)
		busy[i] = busy_start(slots, shared, i, COUNT);
	for (int round = 0; round < ROUNDS; round++) {
		int number = round % WORKERS;
		unsigned before = atomic_load(&shared->taken);
		busy_kill(slots, shared, number, busy[number]);
		busy[number] = busy_start(slots, shared, number, COUNT);
		while (atomic_load(&shared->taken) == before) /* nobody is stuck */
			usleep(50);
	}
	for (int i = 0; i < WORKERS; i++)
		busy_kill(slots, shared, i, busy[i]);
	assert_false(atomic_load(&shared->too_many));
	exactly_so_many_are_free(slots, COUNT);
	munmap(shared, sizeof(*shared));
	slots_close(slots);
}

static void closing_takes_what_was_never_opened(void **state)
{
	(void)state;
	slots_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_so_many_hold_at_once),
		cmocka_unit_test(giving_what_is_not_held_adds_nothing),
		cmocka_unit_test(who_waits_gets_what_is_given),
		cmocka_unit_test(too_many_waiters_are_refused_at_once),
		cmocka_unit_test(nobody_waits_where_waiting_is_zero),
		cmocka_unit_test(the_time_is_bounded_under_signals),
		cmocka_unit_test(a_killed_holder_takes_nothing_with_it),
		cmocka_unit_test(a_killed_waiter_does_not_count_for_ever),
		cmocka_unit_test(reclaiming_a_stranger_changes_nothing),
		cmocka_unit_test(memory_stays_while_it_is_used_and_goes_with_what_is_in_it),
		cmocka_unit_test(memory_is_not_taken_from_who_holds_the_slot),
		cmocka_unit_test(kills_at_any_moment_neither_lose_nor_make_a_slot),
		cmocka_unit_test(closing_takes_what_was_never_opened),
	};
	alarm(DEADLINE_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
