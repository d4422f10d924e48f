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
 *
 * The memory of a slot is in every process the same, so there is as much of it as there are hashes
 * at one time, however many workers take turns. It stays while hashes follow each other, for
 * clearing and mapping it costs two thirds as much as a hash, and goes when they stop.
 */
#include "passwords/slots.h"

#include <assert.h>
#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static_assert(ATOMIC_INT_LOCK_FREE == 2, "a lock would be one for each process");

/* How long a slot's memory stays after its last hash. */
#define REST_MS 1000

/* What is known of a slot's memory. */
struct desk {
	_Atomic unsigned hashes; /* so far */
	unsigned seen; /* of them, by the keeper */
	_Atomic bool used; /* since it was given back to the kernel */
};

struct slots {
	sem_t changed;
	pid_t keeper; /* who has opened them */
	unsigned count;
	unsigned waiting;
	char *memory; /* of all slots, one behind the other; NULL: none could be had */
	size_t memory_size; /* of each */
	struct desk desks[SLOTS_MAXIMUM];
	_Atomic pid_t places[]; /* 0: free. The slots, then the seats. */
};

static size_t size_of(unsigned places)
{
	return sizeof(struct slots) + places * sizeof(_Atomic pid_t);
}

static void *map(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return at == MAP_FAILED ? NULL : at;
}

struct slots *slots_open(unsigned count, unsigned waiting, unsigned workers, size_t memory)
{
	if (waiting > workers)
		waiting = workers;
	struct slots *slots = count <= SLOTS_MAXIMUM ? map(size_of(count + waiting)) : NULL;
	if (!slots)
		return NULL;
	if (sem_init(&slots->changed, 1, 0) != 0) {
		munmap(slots, size_of(count + waiting));
		return NULL;
	}
	slots->keeper = getpid();
	slots->count = count;
	slots->waiting = waiting;
	slots->memory_size = memory;
	slots->memory = memory > 0 ? map(count * memory) : NULL;
	return slots;
}

void slots_close(struct slots *slots)
{
	if (!slots)
		return;
	if (slots->memory)
		munmap(slots->memory, slots->count * slots->memory_size);
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

/* The first slot that the process holds, or count; 0 is nobody. */
static unsigned slot_of(struct slots *slots, pid_t process)
{
	unsigned i = 0;
	while (i < slots->count && atomic_load(&slots->places[i]) != process)
		i++;
	return i;
}

bool slots_held(struct slots *slots)
{
	return slot_of(slots, getpid()) < slots->count;
}

bool slots_free(struct slots *slots)
{
	return slot_of(slots, 0) < slots->count;
}

struct hash_memory slots_memory(struct slots *slots)
{
	unsigned slot = slot_of(slots, getpid());
	if (slot == slots->count || !slots->memory)
		return (struct hash_memory){ NULL, 0 };
	struct desk *desk = &slots->desks[slot];
	atomic_fetch_add(&desk->hashes, 1);
	if (!atomic_exchange(&desk->used, true) && getppid() == slots->keeper)
		kill(slots->keeper, SIGUSR1);
	return (struct hash_memory){ slots->memory + slot * slots->memory_size,
		slots->memory_size };
}

/* Everybody's pages of it, with what the last hash has left in them. Who hashes with fresh ones pays
 * for them; only the keeper frees, and only what it holds. */
static void rest(struct slots *slots, unsigned slot)
{
	pid_t nobody = 0;
	pid_t self = getpid();
	if (!atomic_compare_exchange_strong(&slots->places[slot], &nobody, self))
		return;
	if (atomic_load(&slots->desks[slot].hashes) == slots->desks[slot].seen) {
		madvise(slots->memory + slot * slots->memory_size, slots->memory_size, MADV_REMOVE);
		atomic_store(&slots->desks[slot].used, false);
	}
	slots_give(slots);
}

int slots_tend(struct slots *slots)
{
	bool used = false;
	for (unsigned i = 0; i < slots->count; i++) {
		struct desk *desk = &slots->desks[i];
		unsigned hashes = atomic_load(&desk->hashes);
		if (atomic_load(&desk->used) && hashes == desk->seen)
			rest(slots, i);
		desk->seen = hashes;
		used |= atomic_load(&desk->used);
	}
	return used ? REST_MS : -1;
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
