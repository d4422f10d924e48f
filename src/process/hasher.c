/* SPDX-License-Identifier: MIT */
/*
 * There are as many hashers as hashes may be computed at one time. Each has memory of its own for
 * them, which stays while hashes follow each other, for clearing and mapping it anew takes two
 * thirds as long as a hash, and goes when they stop, with what the last hash has left in it:
 * guesses could be tested against that at no cost.
 */
#include "process/hasher.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/arrival.h"
#include "process/desk.h"
#include "process/stop.h"

#define PATIENCE_MS 2000 /* who has waited so long hears that the service is busy */
#define REST_MS 1000 /* how long memory stays after the last hash */
#define LEAVE_MS 700 /* without anybody in the queue: longer than workers take to leave (lobby.c) */
#define PULSE_NS 1000000 /* how often a hasher lets others in */
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

static void let_in(int signal)
{
	(void)signal;
	sched_yield();
}

/* Whoever wakes up may owe the kernel some microseconds and not get in at once. It is thought of
 * again at the next tick, up to four milliseconds later, unless the hasher asks who else there is. */
static bool make_pulse(timer_t *pulse)
{
	struct sigaction action = { .sa_handler = let_in, .sa_flags = SA_RESTART };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGVTALRM };
	return sigaction(SIGVTALRM, &action, NULL) == 0 &&
	       timer_create(CLOCK_MONOTONIC, &event, pulse) == 0;
}

struct hasher {
	struct context context;
	const struct queue *kept;
	struct desk *desk;
	timer_t pulse;
	bool has_pulse;
};

static void set_pulse(const struct hasher *hasher, long nanoseconds)
{
	const struct itimerspec each = { { 0, nanoseconds }, { 0, nanoseconds } };
	if (hasher->has_pulse)
		timer_settime(hasher->pulse, 0, &each, NULL);
}

static void serve(const struct hasher *hasher, int connection, int64_t since)
{
	struct target target;
	if (arrival_of(connection, &target) != ARRIVAL_WHOLE) {
		close(connection); /* the peer has gone meanwhile */
		return;
	}
	set_pulse(hasher, PULSE_NS);
	int kept = desk_serve(hasher->desk, connection, clock_monotonic_ms() - since < PATIENCE_MS);
	set_pulse(hasher, 0);
	if (kept >= 0 && !queue_put(hasher->kept, kept))
		close(kept);
}

int hasher_run(const struct context *context, const struct queue *hashes, const struct queue *kept,
	unsigned number)
{
	struct hasher hasher = { .context = *context, .kept = kept };
	struct hash_memory *work = &hasher.context.work;
	sigset_t waiting;
	int64_t hashed_at = 0; /* monotonic ms; 0: not since the memory was given back */
	int64_t leave_at = 0; /* 0: not asked to */
	*work = map(context->settings->passwords_memory);
	stand_back();
	take_place(context->settings, number);
	hasher.has_pulse = make_pulse(&hasher.pulse);
	hasher.desk = desk_open(&hasher.context);
	if (!hasher.desk)
		log_error(context->log, "hasher_failed", "libfcgi cannot start");
	stop_prepare(&waiting); /* after libfcgi, which sets handlers of its own */
	while (hasher.desk) {
		int64_t since = 0;
		bool stopping = leave_at > 0;
		int connection = queue_take(hashes, &waiting,
			stopping        ? LEAVE_MS
			: hashed_at > 0 ? REST_MS
					: -1,
			&since);
		int64_t now = clock_monotonic_ms();
		if (connection >= 0) {
			serve(&hasher, connection, since);
			hashed_at = clock_monotonic_ms();
		} else if (hashed_at > 0 && now - hashed_at >= REST_MS) {
			if (work->at)
				madvise(work->at, work->size, MADV_DONTNEED);
			hashed_at = 0;
		}
		/* nobody waits longer than that: what comes later is for those who come after */
		if (stopping && (connection < 0 || now >= leave_at))
			break;
		if (stop_requested() && leave_at == 0)
			leave_at = now + PATIENCE_MS;
	}
	desk_close(hasher.desk);
	if (work->at)
		munmap(work->at, work->size);
	return hasher.desk ? 0 : 1;
}
