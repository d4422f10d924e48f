/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_LOOP_H
#define LATCHKEY_PROCESS_LOOP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "base/waiter.h"

/*
 * The event loop of a process: descriptors that are watched, and tasks, which are functions on fibers
 * that wait in straight-line code. One task runs at a time, and another only while it waits.
 */
struct loop;

/* A descriptor that is watched, in its owner's storage. ready() runs in no task: it must not wait. */
struct watch {
	int descriptor;
	void (*ready)(struct watch *watch, uint32_t events);
};

/* Returns when the work is done. */
typedef void task_body(void *context);

/* NULL with errno. */
__attribute__((warn_unused_result)) struct loop *loop_open(void);

/* No task may be under way. NULL is taken. */
void loop_close(struct loop *loop);

/* Runs body as a task until it waits for the first time or returns. From ready() or from outside of
 * tasks. False with errno: no fiber could be had, and body was not called. */
__attribute__((warn_unused_result)) bool loop_spawn(
	struct loop *loop, task_body *body, void *context);

/* Tasks that have not returned yet. */
unsigned loop_tasks(const struct loop *loop);

/* Calls ready() for the events (epoll_ctl(2)) from now on. False with errno. */
__attribute__((warn_unused_result)) bool loop_watch(
	struct loop *loop, struct watch *watch, uint32_t events);

/* The same for other events. */
__attribute__((warn_unused_result)) bool loop_change(
	struct loop *loop, struct watch *watch, uint32_t events);

/* No more, not even for what has happened already. Before the descriptor is closed, or after. */
void loop_unwatch(struct loop *loop, struct watch *watch);

/* What lower rooms wait with (waiter.h), in tasks of this loop. */
struct waiter loop_waiter(struct loop *loop);

/* One round: waits for events until the time (monotonic ms; -1: as long as it takes) with the signal
 * mask `waiting`, then runs everything that can go on. */
void loop_turn(struct loop *loop, const sigset_t *waiting, int64_t until);

/* Gives back what spare tasks hold. */
void loop_trim(struct loop *loop);

#endif
