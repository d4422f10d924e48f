/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PASSWORDS_SLOTS_H
#define LATCHKEY_PASSWORDS_SLOTS_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * How many passwords are hashed at one time, over all workers: memory and processors are what
 * a flood of log-ins would take from everybody else. Waiting is bounded twice: in time, and in
 * number, so that some workers are always left for requests that need no hash.
 *
 * It lives in memory that is shared over fork(). A worker that is killed while it holds a slot
 * takes nothing with it: the supervisor gives it back (slots_reclaim).
 */
struct slots;

/* count hashes at once; at most `waiting` more may wait, or `workers` where that is less. NULL
 * with errno where shared memory cannot be had. */
struct slots *slots_open(unsigned count, unsigned waiting, unsigned workers);
void slots_close(struct slots *slots);

/* False after timeout_ms, or at once where too many wait already. A process holds one at most. */
__attribute__((warn_unused_result)) bool slots_take(struct slots *slots, int timeout_ms);
void slots_give(struct slots *slots);

/* Whether the calling process holds one; whether one is free just now. */
bool slots_held(struct slots *slots);
bool slots_free(struct slots *slots);

/* The process is dead, and waited for: what it held or waited for is free again. To be called
 * before another process is started, which might have its number. */
void slots_reclaim(struct slots *slots, pid_t process);

#endif
