/* SPDX-License-Identifier: MIT */
/*
 * Deadlines are not sorted: most of them never come, for what is waited for does. The loop knows a
 * moment before which none is due, and looks through all who wait when it has come; with deadlines of
 * seconds that is hardly once a second, however many requests there are.
 */
#include "process/loop.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/secret.h"
#include "process/fiber.h"

#define EVENTS 32

/* Stacks that are kept for tasks to come, each with some 24 KiB that were touched. */
#define SPARE_TASKS 16

#define WIPED (20 * 1024) /* octets: what requests of all kinds were measured to touch */

#define NEVER INT64_MAX

struct task {
	struct loop *loop;
	struct fiber *fiber;
	task_body *body; /* NULL: it has returned */
	void *context;
	struct task *next; /* in the list of those who wait, of those who go on, or of spare ones */
	struct task *before; /* in the list of those who wait */
	bool suspended;
	bool woken; /* not by its deadline */
	int64_t deadline; /* monotonic ms */
};

struct loop {
	int epoll;
	unsigned tasks;
	unsigned spares;
	struct task *current;
	struct task *spare;
	struct task *suspended;
	struct task *going_on; /* in the order in which they were woken */
	struct task **going_on_end;
	int64_t earliest; /* no deadline is before */
	struct epoll_event events[EVENTS]; /* of this turn */
	int event_count;
};

struct loop *loop_open(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	if (!loop)
		return NULL;
	loop->earliest = NEVER;
	loop->going_on_end = &loop->going_on;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll >= 0)
		return loop;
	free(loop);
	return NULL;
}

static void free_task(struct task *task)
{
	fiber_close(task->fiber);
	free(task);
}

void loop_trim(struct loop *loop)
{
	while (loop->spare) {
		struct task *task = loop->spare;
		loop->spare = task->next;
		free_task(task);
	}
	loop->spares = 0;
}

void loop_close(struct loop *loop)
{
	if (!loop)
		return;
	CHECK(loop->tasks == 0);
	loop_trim(loop);
	close(loop->epoll);
	free(loop);
}

/* What a task has left on its stack may be passwords and tokens. */
static __attribute__((noinline)) void wipe_stack(void)
{
	char used[WIPED];
	secret_cleanse(used, sizeof(used));
}

/* A fiber's whole life: one task after the other. */
static void live(void *context)
{
	struct task *task = context;
	for (;;) {
		task->body(task->context);
		task->body = NULL;
		wipe_stack();
		fiber_pause(task->fiber);
	}
}

static struct task *take_task(struct loop *loop)
{
	struct task *task = loop->spare;
	if (task) {
		loop->spare = task->next;
		loop->spares--;
		return task;
	}
	task = calloc(1, sizeof(*task));
	if (!task)
		return NULL;
	task->loop = loop;
	task->fiber = fiber_open(live, task);
	if (task->fiber)
		return task;
	free(task);
	return NULL;
}

static void run(struct loop *loop, struct task *task)
{
	loop->current = task;
	fiber_resume(task->fiber);
	loop->current = NULL;
	if (task->body)
		return;
	loop->tasks--;
	if (loop->spares >= SPARE_TASKS) {
		free_task(task);
		return;
	}
	task->next = loop->spare;
	loop->spare = task;
	loop->spares++;
}

bool loop_spawn(struct loop *loop, task_body *body, void *context)
{
	CHECK(!loop->current);
	struct task *task = take_task(loop);
	if (!task)
		return false;
	task->body = body;
	task->context = context;
	loop->tasks++;
	run(loop, task);
	return true;
}

unsigned loop_tasks(const struct loop *loop)
{
	return loop->tasks;
}

static bool control(struct loop *loop, int operation, struct watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };
	return epoll_ctl(loop->epoll, operation, watch->descriptor, &event) == 0;
}

bool loop_watch(struct loop *loop, struct watch *watch, uint32_t events)
{
	return control(loop, EPOLL_CTL_ADD, watch, events);
}

bool loop_change(struct loop *loop, struct watch *watch, uint32_t events)
{
	return control(loop, EPOLL_CTL_MOD, watch, events);
}

void loop_unwatch(struct loop *loop, struct watch *watch)
{
	control(loop, EPOLL_CTL_DEL, watch, 0);
	for (int i = 0; i < loop->event_count; i++)
		if (loop->events[i].data.ptr == watch)
			loop->events[i].data.ptr = NULL;
}

static void go_on(struct task *task, bool woken)
{
	struct loop *loop = task->loop;
	if (task->before)
		task->before->next = task->next;
	else
		loop->suspended = task->next;
	if (task->next)
		task->next->before = task->before;
	task->suspended = false;
	task->woken = woken;
	task->next = NULL;
	*loop->going_on_end = task;
	loop->going_on_end = &task->next;
}

static void *self(void *context)
{
	const struct loop *loop = context;
	return loop->current;
}

static void wake(void *context, void *who)
{
	struct task *task = who;
	(void)context;
	if (task->suspended)
		go_on(task, true);
}

static bool suspend(void *context, int64_t deadline)
{
	struct loop *loop = context;
	struct task *task = loop->current;
	CHECK(task);
	task->suspended = true;
	task->deadline = deadline;
	task->before = NULL;
	task->next = loop->suspended;
	if (task->next)
		task->next->before = task;
	loop->suspended = task;
	if (deadline < loop->earliest)
		loop->earliest = deadline;
	fiber_pause(task->fiber);
	return task->woken;
}

struct waiting {
	struct watch watch;
	struct task *task;
};

static void wake_waiting(struct watch *watch, uint32_t events)
{
	struct waiting *waiting = (struct waiting *)watch;
	(void)events;
	wake(NULL, waiting->task);
}

/* A descriptor that is watched already is waited for under another number. */
static bool wait_for(void *context, int descriptor, short events, int64_t deadline)
{
	struct loop *loop = context;
	struct waiting waiting = { { descriptor, wake_waiting }, loop->current };
	uint32_t wanted = (events & POLLIN ? EPOLLIN | EPOLLRDHUP : 0U) |
			  (events & POLLOUT ? EPOLLOUT : 0U) | EPOLLONESHOT;
	bool watched = loop_watch(loop, &waiting.watch, wanted);
	int copy = -1;
	if (!watched && errno == EEXIST) {
		waiting.watch.descriptor = copy = dup(descriptor);
		watched = copy >= 0 && loop_watch(loop, &waiting.watch, wanted);
	}
	bool ready = watched && suspend(loop, deadline);
	if (watched)
		loop_unwatch(loop, &waiting.watch);
	if (copy >= 0)
		close(copy);
	return ready;
}

struct waiter loop_waiter(struct loop *loop)
{
	return (struct waiter){
		.context = loop, .wait = wait_for, .self = self, .suspend = suspend, .wake = wake
	};
}

/* Those whose deadline has passed go on. */
static void expire(struct loop *loop)
{
	int64_t now = clock_monotonic_ms();
	if (now < loop->earliest)
		return;
	loop->earliest = NEVER;
	for (struct task *task = loop->suspended; task;) {
		struct task *next = task->next;
		if (task->deadline <= now)
			go_on(task, false);
		else if (task->deadline < loop->earliest)
			loop->earliest = task->deadline;
		task = next;
	}
}

/* Those who are there now, and not those who are woken meanwhile. */
static void run_those_who_go_on(struct loop *loop)
{
	struct task *task = loop->going_on;
	loop->going_on = NULL;
	loop->going_on_end = &loop->going_on;
	while (task) {
		struct task *next = task->next;
		task->next = NULL;
		run(loop, task);
		task = next;
	}
}

static int timeout_of(const struct loop *loop, int64_t until)
{
	int64_t next = until >= 0 && until < loop->earliest ? until : loop->earliest;
	if (loop->going_on)
		return 0;
	if (next == NEVER)
		return -1;
	int64_t left = next - clock_monotonic_ms();
	return left < 0 ? 0 : left < INT32_MAX ? (int)left : INT32_MAX;
}

void loop_turn(struct loop *loop, const sigset_t *waiting, int64_t until)
{
	int count =
		epoll_pwait(loop->epoll, loop->events, EVENTS, timeout_of(loop, until), waiting);
	loop->event_count = count > 0 ? count : 0;
	for (int i = 0; i < loop->event_count; i++) {
		struct watch *watch = loop->events[i].data.ptr;
		if (watch)
			watch->ready(watch, loop->events[i].events);
	}
	loop->event_count = 0;
	expire(loop);
	run_those_who_go_on(loop);
}
