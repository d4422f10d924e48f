/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PASSWORDS_SLOTS_H
#define LATCHKEY_PASSWORDS_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "passwords/engine.h"

/*
 * How many passwords are hashed at one time, over all workers: memory and processors are what
 * a flood of log-ins would take from everybody else. Waiting is bounded twice: in time, and in
 * number, so that some workers are always left for requests that need no hash.
 *
 * It lives in memory that is shared over fork(). A worker that is killed while it holds a slot
 * takes nothing with it: the supervisor gives it back (slots_reclaim).
 */
struct slots;

#define SLOTS_MAXIMUM 512

/* count hashes at once, each in `memory` octets; at most `waiting` more may wait, or `workers`
 * where that is less. NULL with errno where shared memory cannot be had. Who opens them is their
 * keeper, and the parent of all who use them. */
struct slots *slots_open(unsigned count, unsigned waiting, unsigned workers, size_t memory);
void slots_close(struct slots *slots);

/* False after timeout_ms, or at once where too many wait already. A process holds one at most. */
__attribute__((warn_unused_result)) bool slots_take(struct slots *slots, int timeout_ms);
void slots_give(struct slots *slots);

/* Whether the calling process holds one; whether one is free just now. */
bool slots_held(struct slots *slots);
bool slots_free(struct slots *slots);

/* What the hash in the slot that the process holds may work in; its keeper is told by SIGUSR1 when
 * it was at rest before. {NULL, 0} without a slot or memory. */
struct hash_memory slots_memory(struct slots *slots);

/* By the keeper, after SIGUSR1 and when the time is up: gives the memory of slots without a hash
 * since the last call back to the kernel, and with it what the hash has left there, from which
 * guesses could be tested at no cost. Returns in how many ms to call again; -1: not before
 * SIGUSR1. */
int slots_tend(struct slots *slots);

/* The process is dead, and waited for: what it held or waited for is free again. To be called
 * before another process is started, which might have its number. */
void slots_reclaim(struct slots *slots, pid_t process);

#endif
