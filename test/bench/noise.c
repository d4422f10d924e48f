/* SPDX-License-Identifier: MIT */
/*
 * A neighbour: takes each processor for ten milliseconds of every twenty, until it is killed.
 */
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define BUSY_NS 10000000
#define PERIOD_NS 20000000

static long long now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void disturb(void)
{
	const struct timespec rest = { 0, PERIOD_NS - BUSY_NS };
	for (;;) {
		for (long long until = now() + BUSY_NS; now() < until;) {
		}
		nanosleep(&rest, NULL);
	}
}

int main(void)
{
	cpu_set_t all;
	if (sched_getaffinity(0, sizeof(all), &all) != 0)
		return 1;
	for (int i = 0; i < CPU_SETSIZE; i++) {
		cpu_set_t one;
		CPU_ZERO(&one);
		CPU_SET(i, &one);
		if (!CPU_ISSET(i, &all) || fork() != 0)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sched_setaffinity(0, sizeof(one), &one);
		disturb();
	}
	pause();
	return 0;
}
