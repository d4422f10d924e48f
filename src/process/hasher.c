/* SPDX-License-Identifier: MIT */
/*
 * There are as many hashers as hashes may be computed at one time. Each has memory of its own for
 * them, which stays while hashes follow each other, for clearing and mapping it anew takes two
 * thirds as long as a hash, and goes when they stop, with what the last hash has left in it:
 * guesses could be tested against that at no cost.
 */
#include "process/hasher.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/arrival.h"
#include "process/hands.h"
#include "process/stop.h"
#include "store/pipeline.h"

#define PATIENCE_MS 2000 /* who has waited so long hears that the service is busy */
#define REST_MS 1000 /* how long memory stays after the last hash */
#define LEAVE_MS 700 /* without anybody in the queue: longer than workers take to leave (lobby.c) */
#define PULSE_NS 1000000 /* how often a hasher lets others in */
#define MOMENT_MS 1 /* in which a hasher with free hands takes who waits */
#define HANDS 3 /* one that is hashed for, one before that and one behind it */
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
	const struct queue *hashes;
	const struct queue *kept;
	struct hands *hands;
	timer_t pulse;
	bool has_pulse;
	int64_t hashed_at; /* monotonic ms; 0: not since the memory was given back */
	int64_t leave_at; /* the same; 0: not asked to */
};

static void set_pulse(const struct hasher *hasher, long nanoseconds)
{
	const struct itimerspec each = { { 0, nanoseconds }, { 0, nanoseconds } };
	if (hasher->has_pulse)
		timer_settime(hasher->pulse, 0, &each, NULL);
}

static void give_back(void *context, int connection)
{
	const struct hasher *hasher = context;
	if (!queue_put(hasher->kept, connection))
		close(connection);
}

/* How long there is nothing to do but to wait (milliseconds; -1: as long as it takes). */
static int64_t patience(const struct hasher *hasher)
{
	if (hands_full(hasher->hands) > 0)
		return MOMENT_MS;
	return hasher->leave_at > 0 ? LEAVE_MS : hasher->hashed_at > 0 ? REST_MS : -1;
}

/* Takes whoever waits longest. Who has something in hand leaves others what has just come. */
static bool take(struct hasher *hasher)
{
	struct target target;
	int64_t since;
	int64_t now = clock_monotonic_ms();
	unsigned full = hands_full(hasher->hands);
	if (full == HANDS || (full > 0 && !queue_waits(hasher->hashes, now - MOMENT_MS)))
		return false;
	int connection = queue_take(hasher->hashes, &since);
	if (connection < 0)
		return false;
	if (arrival_of(connection, &target) == ARRIVAL_WHOLE)
		hands_take(hasher->hands, connection, now - since < PATIENCE_MS);
	else
		close(connection); /* the peer has gone meanwhile */
	return true;
}

/* Memory that nothing was hashed in for a while goes back to the kernel. */
static void rest(struct hasher *hasher)
{
	const struct hash_memory *work = &hasher->context.work;
	if (hasher->hashed_at == 0 || clock_monotonic_ms() - hasher->hashed_at < REST_MS)
		return;
	if (work->at)
		madvise(work->at, work->size, MADV_DONTNEED);
	hasher->hashed_at = 0;
}

/* One round of waiting and working. False: it is asked to leave, and nobody is there any more. */
static bool work(struct hasher *hasher, const sigset_t *waiting)
{
	struct store *store = hasher->context.store;
	unsigned full = hands_full(hasher->hands);
	bool leaving = hasher->leave_at > 0;
	struct pollfd ready[] = {
		{ full == 0 ? hasher->hashes->out : -1, POLLIN, 0 },
		{ full > 0 ? store_socket(store) : -1, POLLIN, 0 },
	};
	int64_t left = patience(hasher);
	const struct timespec timeout = { left / 1000, left % 1000 * 1000000L };
	int count = ppoll(ready, 2, left < 0 ? NULL : &timeout, waiting);
	set_pulse(hasher, PULSE_NS);
	/* first those who only look up yet, so that there is always one to hash for while others
	 * wait for the database */
	while (take(hasher))
		hasher->hashed_at = clock_monotonic_ms();
	if (full > 0) {
		store_read(store);
		hands_go_on(hasher->hands);
		hasher->hashed_at = clock_monotonic_ms();
	}
	set_pulse(hasher, 0);
	rest(hasher);
	if (stop_requested() && hasher->leave_at == 0)
		hasher->leave_at = clock_monotonic_ms() + PATIENCE_MS;
	/* nobody waits longer than that: what comes later is for those who come after */
	return !leaving || hands_full(hasher->hands) > 0 ||
	       (count != 0 && clock_monotonic_ms() < hasher->leave_at);
}

int hasher_run(const struct context *context, const struct queue *hashes, const struct queue *kept,
	unsigned number)
{
	struct hasher hasher = { .context = *context, .hashes = hashes, .kept = kept };
	sigset_t waiting;
	hasher.context.work = map(context->settings->passwords_memory);
	stand_back();
	take_place(context->settings, number);
	hasher.has_pulse = make_pulse(&hasher.pulse);
	hasher.hands = hands_open(&hasher.context, HANDS, give_back, &hasher);
	if (!hasher.hands)
		log_error(context->log, "hasher_failed", "%s", strerror(errno));
	stop_prepare(&waiting); /* after libfcgi, which sets handlers of its own */
	while (hasher.hands && work(&hasher, &waiting)) {
	}
	hands_close(hasher.hands);
	if (hasher.context.work.at)
		munmap(hasher.context.work.at, hasher.context.work.size);
	return hasher.hands ? 0 : 1;
}
