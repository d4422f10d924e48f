/* SPDX-License-Identifier: MIT */
/*
 * There are as many hashers as hashes may be computed at one time. Each has memory of its own for
 * them, which stays while hashes follow each other, for clearing and mapping it anew takes two
 * thirds as long as a hash, and goes when they stop, with what the last hash has left in it:
 * guesses could be tested against that at no cost.
 */
#include "process/hasher.h"

#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/arrival.h"
#include "process/desk.h"
#include "process/stop.h"

#define PATIENCE_MS 2000 /* who has waited so long hears that the service is busy */
#define REST_MS 1000 /* how long memory stays after the last hash */
#define LEAVE_MS 700 /* without anybody in the queue: longer than workers take to leave (lobby.c) */
#define NICENESS 10 /* a busy machine still gives a hasher a tenth of a processor */

static struct hash_memory map(long kib)
{
	size_t size = (size_t)kib * 1024;
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		return (struct hash_memory){ NULL, 0 }; /* each hash gets its own then */
	madvise(at, size, MADV_HUGEPAGE);
	return (struct hash_memory){ at, size };
}

/* Makes room for everybody else. The kernel shares processors between sessions first where it groups
 * them (sched(7), autogroup), and within one by niceness: a hasher is a session of its own, so that
 * what it has used up is not counted against the workers. */
static void stand_back(void)
{
	setsid();
	setpriority(PRIO_PROCESS, 0, NICENESS);
	FILE *group = fopen("/proc/self/autogroup", "we");
	if (group) {
		fprintf(group, "%d", NICENESS);
		fclose(group);
	}
}

/* Two hashes on one processor take turns in its caches while another has none: where there are as
 * many hashers as processors, each stays on its own. */
static void take_place(const struct settings *settings, unsigned number)
{
	cpu_set_t all;
	cpu_set_t one;
	if (sched_getaffinity(0, sizeof(all), &all) != 0 ||
		CPU_COUNT(&all) != settings->passwords_slots)
		return;
	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &all) && number-- == 0)
			CPU_SET(i, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static void serve(struct desk *desk, const struct queue *answered, int connection, int64_t since)
{
	struct target target;
	int kept = connection; /* the peer may have gone meanwhile */
	bool whole = arrival_of(connection, &target) == ARRIVAL_WHOLE;
	if (whole)
		kept = desk_serve(desk, connection, clock_monotonic_ms() - since < PATIENCE_MS);
	if (kept >= 0 && (!whole || !queue_put(answered, kept)))
		close(kept);
}

int hasher_run(const struct context *shared, const struct queue *hashes, const struct queue *kept,
	unsigned number)
{
	struct context context = *shared;
	sigset_t waiting;
	int64_t hashed_at = 0; /* monotonic ms; 0: not since the memory was given back */
	int64_t leave_at = 0; /* 0: not asked to */
	context.work = map(context.settings->passwords_memory);
	stand_back();
	take_place(context.settings, number);
	struct desk *desk = desk_open(&context);
	if (!desk)
		log_error(context.log, "hasher_failed", "libfcgi cannot start");
	stop_prepare(&waiting); /* after libfcgi, which sets handlers of its own */
	while (desk) {
		int64_t since = 0;
		bool stopping = leave_at > 0;
		int connection = queue_take(hashes, &waiting,
			stopping        ? LEAVE_MS
			: hashed_at > 0 ? REST_MS
					: -1,
			&since);
		int64_t now = clock_monotonic_ms();
		if (connection >= 0) {
			serve(desk, kept, connection, since);
			hashed_at = clock_monotonic_ms();
		} else if (hashed_at > 0 && now - hashed_at >= REST_MS) {
			if (context.work.at)
				madvise(context.work.at, context.work.size, MADV_DONTNEED);
			hashed_at = 0;
		}
		/* nobody waits longer than that: what comes later is for those who come after */
		if (stopping && (connection < 0 || now >= leave_at))
			break;
		if (stop_requested() && leave_at == 0)
			leave_at = now + PATIENCE_MS;
	}
	desk_close(desk);
	if (context.work.at)
		munmap(context.work.at, context.work.size);
	return desk ? 0 : 1;
}
