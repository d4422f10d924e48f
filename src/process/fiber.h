/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_FIBER_H
#define LATCHKEY_PROCESS_FIBER_H

/*
 * A function with a stack of its own, which can pause in the middle and go on later. Only one runs
 * at a time, and it changes only where it says so: what it shares with others needs no locks.
 */
struct fiber;

/* Must not return. */
typedef void fiber_body(void *context);

/* A fiber that begins with the first fiber_resume(). NULL with errno. */
__attribute__((warn_unused_result)) struct fiber *fiber_open(fiber_body *body, void *context);

/* Wherever it is paused, it never goes on: what it holds is the caller's to release. NULL is taken. */
void fiber_close(struct fiber *fiber);

/* Runs the fiber until it pauses. Not from within a fiber. */
void fiber_resume(struct fiber *fiber);

/* Pauses the fiber that runs, which must be this one. */
void fiber_pause(struct fiber *fiber);

#endif
