/* SPDX-License-Identifier: MIT */
/*
 * There are as many hashers as hashes may be computed at one time. Each has memory of its own for
 * them, which stays while hashes follow each other, for clearing and mapping it anew takes two
 * thirds as long as a hash, and goes when they stop, with what the last hash has left in it:
 * guesses could be tested against that at no cost.
 */
#include "process/hasher.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/secret.h"
#include "passwords/door.h"
#include "process/signals.h"

#define IDLE_MS 1000 /* how long memory stays after the last hash */
#define YIELD_NS 1000000 /* how often a hasher asks who else wants the processor */
#define NICENESS 10 /* a busy machine still gives a hasher a tenth of a processor */

static struct hash_memory map_memory(uint32_t kib)
{
	size_t size = (size_t)kib * 1024;
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		return (struct hash_memory){ NULL, 0 }; /* each hash gets its own then */
	madvise(at, size, MADV_HUGEPAGE);
	return (struct hash_memory){ at, size };
}

/* Everybody else comes first. The kernel shares processors between sessions first where it groups
 * them (sched(7), autogroup), and within one by niceness: a hasher is a session of its own, so that
 * what it has used up is not counted against the workers. */
static void lower_priority(void)
{
	setsid();
	setpriority(PRIO_PROCESS, 0, NICENESS);
}

/* The niceness of the session. False: to be tried again, for the kernel takes one such change in a
 * tenth of a second from all processes without rights together. The file belongs to root while the
 * process may not be dumped (prctl(2)), so for the moment of opening it the process may be. */
static bool lower_group_priority(void)
{
	char nice[8];
	int length = snprintf(nice, sizeof(nice), "%d", NICENESS);
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	int group = open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (group < 0)
		return true; /* there are no such groups here */
	bool again = write(group, nice, (size_t)length) < 0 && errno == EAGAIN;
	close(group);
	return !again;
}

/* Two hashes on one processor take turns in its caches while another has none: where there are as
 * many hashers as processors, each stays on its own. */
static void pin_to_cpu(unsigned hashers, unsigned number)
{
	cpu_set_t all;
	cpu_set_t one;
	if (sched_getaffinity(0, sizeof(all), &all) != 0 || CPU_COUNT(&all) != (int)hashers)
		return;
	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &all) && number-- == 0)
			CPU_SET(i, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static void yield_cpu(int signal)
{
	int before = errno;
	(void)signal;
	sched_yield();
	errno = before;
}

/* Whoever wakes up may owe the kernel some microseconds and not get in at once. It is thought of
 * again at the next tick, up to four milliseconds later, unless the hasher asks who else there is. */
static bool make_yield_timer(timer_t *timer)
{
	struct sigaction action = { .sa_handler = yield_cpu, .sa_flags = SA_RESTART };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGVTALRM };
	return sigaction(SIGVTALRM, &action, NULL) == 0 &&
	       timer_create(CLOCK_MONOTONIC, &event, timer) == 0;
}

struct hasher {
	const struct hasher_settings *settings;
	struct hash_memory memory;
	bool memory_used; /* since it was given back */
	bool group_lowered;
	struct hash_pace pace;
	timer_t yield_timer;
	bool has_yield_timer;
};

static void set_yield_timer(const struct hasher *hasher, long nanoseconds)
{
	const struct itimerspec each = { { 0, nanoseconds }, { 0, nanoseconds } };
	if (hasher->has_yield_timer)
		timer_settime(hasher->yield_timer, 0, &each, NULL);
}

static void say(const struct hasher *hasher, unsigned worker, struct hash_reply *reply)
{
	const struct hash_channel *channel = hasher->settings->channel;
	reply->hasher = (uint16_t)hasher->settings->number;
	/* a worker that does not read has no use for it, and nobody else waits for that one */
	if (worker < channel->workers)
		send(channel->replies[worker].in, reply, sizeof(*reply),
			MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int64_t now_in_microseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static enum hash_said compute(
	struct hasher *hasher, const struct hash_job *job, struct hash_reply *reply)
{
	const struct hash_order order = { .memory = job->memory,
		.passes = job->passes,
		.lanes = job->lanes,
		.password = { (const char *)job->password, job->password_size },
		.salt = job->salt,
		.salt_size = job->salt_size,
		.hash_size = job->hash_size,
		.pace_memory = job->pace_memory,
		.pace_passes = job->pace_passes,
		.work = hasher->memory };
	int64_t began = now_in_microseconds();
	hasher->memory_used = true;
	set_yield_timer(hasher, YIELD_NS);
	enum hash_result result = hash_compute(&order, &hasher->pace, reply->hash);
	set_yield_timer(hasher, 0);
	reply->microseconds = (uint32_t)(now_in_microseconds() - began);
	return result == HASH_DONE ? HASH_SAID_DONE : HASH_SAID_FAILED;
}

static void serve(struct hasher *hasher, const struct hash_job *job)
{
	struct hash_reply reply = { .id = job->id, .client = job->client };
	if (job->memory == 0) {
		reply.said = HASH_SAID_PASSED;
	} else if (clock_monotonic_ms() > job->begin_before) {
		reply.said = HASH_SAID_LATE;
	} else {
		reply.said = HASH_SAID_TAKEN;
		say(hasher, job->worker, &reply);
		reply.said = (uint8_t)compute(hasher, job, &reply);
	}
	say(hasher, job->worker, &reply);
	secret_cleanse(&reply, sizeof(reply));
}

static void release_idle_memory(struct hasher *hasher)
{
	if (hasher->memory_used && hasher->memory.at)
		madvise(hasher->memory.at, hasher->memory.size, MADV_DONTNEED);
	hasher->memory_used = false;
}

/* Waits for a job and does it. False: no worker is left. */
static bool work(struct hasher *hasher, const sigset_t *waiting)
{
	const struct hasher_settings *settings = hasher->settings;
	signals_reopen_log(settings->log, settings->log_target);
	const struct timespec idle = { IDLE_MS / 1000, IDLE_MS % 1000 * 1000000L };
	struct pollfd jobs = { settings->channel->jobs_out, POLLIN, 0 };
	struct hash_job job;
	ssize_t size = recv(jobs.fd, &job, sizeof(job), MSG_DONTWAIT);
	if (size == sizeof(job)) {
		serve(hasher, &job);
		secret_cleanse(&job, sizeof(job));
	} else if (size == 0) {
		return false;
	} else if (ppoll(&jobs, 1, hasher->memory_used || !hasher->group_lowered ? &idle : NULL,
			   waiting) == 0) {
		release_idle_memory(hasher);
	}
	if (!hasher->group_lowered)
		hasher->group_lowered = lower_group_priority();
	return true;
}

int hasher_run(const struct hasher_settings *settings)
{
	struct hasher hasher = { .settings = settings, .memory = map_memory(settings->memory) };
	struct hash_reply started = { .said = HASH_SAID_STARTED };
	sigset_t waiting;
	lower_priority();
	pin_to_cpu(settings->channel->hashers, settings->number);
	hasher.has_yield_timer = make_yield_timer(&hasher.yield_timer);
	signals_prepare(&waiting);
	for (unsigned i = 0; i < settings->channel->workers; i++)
		say(&hasher, i, &started);
	while (work(&hasher, &waiting)) {
	}
	if (hasher.memory.at)
		munmap(hasher.memory.at, hasher.memory.size);
	return 0;
}
