/* SPDX-License-Identifier: MIT */
/*
 * A semaphore counts the free slots; a table says which process holds one or waits for one, so
 * that the supervisor can give back what a killed process held. Entries are claimed once in a
 * process's life.
 */
#include "passwords/slots.h"

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum state { IDLE, WAITING, HOLDING };

struct entry {
	_Atomic pid_t process; /* 0: nobody's */
	atomic_int state;
};

struct slots {
	sem_t free;
	unsigned count;
	unsigned waiting; /* at most */
	unsigned workers; /* entries */
	struct entry entries[];
};

static size_t size_of(unsigned workers)
{
	return sizeof(struct slots) + workers * sizeof(struct entry);
}

struct slots *slots_open(unsigned count, unsigned waiting, unsigned workers)
{
	/* a reload has two generations of workers at a time */
	workers *= 2;
	struct slots *slots = mmap(
		NULL, size_of(workers), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (slots == MAP_FAILED)
		return NULL;
	slots->count = count;
	slots->waiting = waiting;
	slots->workers = workers;
	if (sem_init(&slots->free, 1, count) != 0) {
		munmap(slots, size_of(workers));
		return NULL;
	}
	return slots;
}

void slots_close(struct slots *slots)
{
	if (slots)
		munmap(slots, size_of(slots->workers));
}

static struct entry *entry_of(struct slots *slots, pid_t process)
{
	for (unsigned i = 0; i < slots->workers; i++)
		if (atomic_load(&slots->entries[i].process) == process)
			return &slots->entries[i];
	return NULL;
}

/* The calling process's entry; NULL where the table is full, which is one process too many. */
static struct entry *claim(struct slots *slots)
{
	pid_t self = getpid();
	struct entry *entry = entry_of(slots, self);
	for (unsigned i = 0; !entry && i < slots->workers; i++) {
		pid_t nobody = 0;
		if (atomic_compare_exchange_strong(&slots->entries[i].process, &nobody, self))
			entry = &slots->entries[i];
	}
	return entry;
}

static unsigned count_in(struct slots *slots, enum state state)
{
	unsigned count = 0;
	for (unsigned i = 0; i < slots->workers; i++)
		count += atomic_load(&slots->entries[i].state) == (int)state;
	return count;
}

static bool wait_until(struct slots *slots, int timeout_ms)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += timeout_ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	int result;
	while ((result = sem_clockwait(&slots->free, CLOCK_MONOTONIC, &until)) != 0 &&
		errno == EINTR) {
	}
	return result == 0;
}

bool slots_take(struct slots *slots, int timeout_ms)
{
	struct entry *entry = claim(slots);
	if (!entry)
		return false;
	atomic_store(&entry->state, WAITING);
	bool taken = sem_trywait(&slots->free) == 0 ||
		     (count_in(slots, WAITING) <= slots->waiting && wait_until(slots, timeout_ms));
	atomic_store(&entry->state, taken ? HOLDING : IDLE);
	return taken;
}

void slots_give(struct slots *slots)
{
	struct entry *entry = entry_of(slots, getpid());
	if (entry && atomic_exchange(&entry->state, IDLE) == HOLDING)
		sem_post(&slots->free);
}

/* A process that died between getting a slot and saying so leaves the semaphore one short. That
 * shows when nobody holds or waits: then all slots must be free. */
static void recount(struct slots *slots)
{
	int value;
	while (count_in(slots, HOLDING) + count_in(slots, WAITING) == 0 &&
		sem_getvalue(&slots->free, &value) == 0 && value < (int)slots->count)
		sem_post(&slots->free);
}

void slots_reclaim(struct slots *slots, pid_t process)
{
	struct entry *entry = entry_of(slots, process);
	if (!entry)
		return;
	if (atomic_exchange(&entry->state, IDLE) == HOLDING)
		sem_post(&slots->free);
	atomic_store(&entry->process, 0);
	recount(slots);
}
