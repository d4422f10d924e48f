/* SPDX-License-Identifier: MIT */
/*
 * A place is a slot, or a seat to wait on, and has the number of the process that is in it. To
 * take one and to leave one are single atomic steps, so there is no moment at which a process
 * could be killed and leave behind what nobody can give back. A semaphore that counted free slots
 * would have two such moments, between its step and that of the table, and no later count could
 * tell the dead from those who are about to take or give.
 *
 * The semaphore here only wakes: a post too many makes somebody look in vain, and the one that a
 * process was killed before making, or after taking it, is made up for by slots_reclaim().
 */
#include "passwords/slots.h"

#include <assert.h>
#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static_assert(ATOMIC_INT_LOCK_FREE == 2, "a lock would be one for each process");

struct slots {
	sem_t changed;
	unsigned count;
	unsigned waiting;
	_Atomic pid_t places[]; /* 0: free. The slots, then the seats. */
};

static size_t size_of(unsigned places)
{
	return sizeof(struct slots) + places * sizeof(_Atomic pid_t);
}

struct slots *slots_open(unsigned count, unsigned waiting, unsigned workers)
{
	if (waiting > workers)
		waiting = workers;
	size_t size = size_of(count + waiting);
	struct slots *slots =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (slots == MAP_FAILED)
		return NULL;
	if (sem_init(&slots->changed, 1, 0) != 0) {
		munmap(slots, size);
		return NULL;
	}
	slots->count = count;
	slots->waiting = waiting;
	return slots;
}

void slots_close(struct slots *slots)
{
	if (slots)
		munmap(slots, size_of(slots->count + slots->waiting));
}

static bool occupy(_Atomic pid_t *places, unsigned count)
{
	pid_t self = getpid();
	for (unsigned i = 0; i < count; i++) {
		pid_t nobody = 0;
		if (atomic_compare_exchange_strong(&places[i], &nobody, self))
			return true;
	}
	return false;
}

static bool vacate(_Atomic pid_t *places, unsigned count, pid_t process)
{
	bool vacated = false;
	for (unsigned i = 0; i < count; i++) {
		pid_t holder = process;
		vacated |= atomic_compare_exchange_strong(&places[i], &holder, 0);
	}
	return vacated;
}

/* After a slot became free. Who sits looks at the slots after sitting down, and who gives looks at
 * the seats after giving: one of the two sees the other. */
static void wake_one(struct slots *slots)
{
	for (unsigned i = 0; i < slots->waiting; i++)
		if (atomic_load(&slots->places[slots->count + i]) != 0) {
			sem_post(&slots->changed);
			return;
		}
}

static struct timespec monotonic_in(int milliseconds)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += milliseconds / 1000;
	until.tv_nsec += milliseconds % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	return until;
}

static bool wait_for_slot(struct slots *slots, int timeout_ms)
{
	const struct timespec until = monotonic_in(timeout_ms);
	while (!occupy(slots->places, slots->count))
		if (sem_clockwait(&slots->changed, CLOCK_MONOTONIC, &until) != 0 && errno != EINTR)
			return false;
	return true;
}

bool slots_take(struct slots *slots, int timeout_ms)
{
	_Atomic pid_t *seats = slots->places + slots->count;
	if (occupy(slots->places, slots->count))
		return true;
	if (!occupy(seats, slots->waiting))
		return false;
	bool taken = wait_for_slot(slots, timeout_ms);
	vacate(seats, slots->waiting, getpid());
	return taken;
}

static bool any_is(struct slots *slots, pid_t process)
{
	for (unsigned i = 0; i < slots->count; i++)
		if (atomic_load(&slots->places[i]) == process)
			return true;
	return false;
}

bool slots_held(struct slots *slots)
{
	return any_is(slots, getpid());
}

bool slots_free(struct slots *slots)
{
	return any_is(slots, 0);
}

void slots_give(struct slots *slots)
{
	if (vacate(slots->places, slots->count, getpid()))
		wake_one(slots);
}

void slots_reclaim(struct slots *slots, pid_t process)
{
	vacate(slots->places, slots->count + slots->waiting, process);
	wake_one(slots);
}
