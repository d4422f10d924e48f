/* SPDX-License-Identifier: MIT */
/*
 * How many Argon2id hashes a second as many processes can compute, by each library's plain
 * interface, and nothing else: the limit of a log-in. "resident" is a hasher's own loop without anything
 * around it: the fastest engine, in memory that stays, each process on a processor of its own.
 *     hashes KIB PASSES PROCESSES SECONDS
 */
#include <argon2.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef LATCHKEY_SODIUM
#include <sodium.h>
#endif

#include "passwords/door.h"

#define PASSWORD "correct horse battery staple"
#define SALT "somesaltsomesalt"

struct cost {
	unsigned memory;
	unsigned passes;
};

static int by_libargon2(const struct cost *cost, unsigned char *hash)
{
	return argon2id_hash_raw(
		cost->passes, cost->memory, 1, PASSWORD, strlen(PASSWORD), SALT, 16, hash, 32);
}

#ifdef LATCHKEY_SODIUM
static int by_libsodium(const struct cost *cost, unsigned char *hash)
{
	return crypto_pwhash(hash, 32, PASSWORD, strlen(PASSWORD), (const unsigned char *)SALT,
		cost->passes, (size_t)cost->memory * 1024, crypto_pwhash_ALG_ARGON2ID13);
}
#endif

static struct hash_memory resident;

static int by_hasher(const struct cost *cost, unsigned char *hash)
{
	const struct hash_order order = { .memory = cost->memory,
		.passes = cost->passes,
		.lanes = 1,
		.password = TEXT(PASSWORD),
		.salt = (const unsigned char *)SALT,
		.salt_size = 16,
		.hash_size = 32,
		.work = resident };
	return hash_compute(&order, NULL, hash) == HASH_DONE ? 0 : 1;
}

/* As a hasher does (process/hasher.c). */
static void settle(const struct cost *cost, int number)
{
	cpu_set_t all;
	cpu_set_t one;
	size_t size = (size_t)cost->memory * 1024;
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED || sched_getaffinity(0, sizeof(all), &all) != 0)
		_exit(1);
	madvise(at, size, MADV_HUGEPAGE);
	resident = (struct hash_memory){ at, size };
	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &all) && number-- == 0)
			CPU_SET(i, &one);
	if (CPU_COUNT(&one) == 1)
		sched_setaffinity(0, sizeof(one), &one);
}

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Hashes until the time is up, and writes how many a second. */
static void hash(int (*by)(const struct cost *, unsigned char *), const struct cost *cost,
	double seconds, int to)
{
	unsigned char octets[32];
	double start = now();
	double rate = 0;
	for (int done = 1; now() - start < seconds; done++) {
		if (by(cost, octets) != 0)
			_exit(1);
		rate = done / (now() - start);
	}
	_exit(write(to, &rate, sizeof(rate)) == sizeof(rate) ? 0 : 1);
}

static void measure(const char *name, int (*by)(const struct cost *, unsigned char *),
	const struct cost *cost, int processes, double seconds)
{
	int pipe_ends[2];
	double sum = 0;
	double rate;
	if (pipe(pipe_ends) != 0)
		exit(1);
	for (int i = 0; i < processes; i++)
		if (fork() == 0) {
			if (by == by_hasher)
				settle(cost, i);
			hash(by, cost, seconds, pipe_ends[1]);
		}
	close(pipe_ends[1]);
	while (read(pipe_ends[0], &rate, sizeof(rate)) == sizeof(rate))
		sum += rate;
	close(pipe_ends[0]);
	while (wait(NULL) > 0) {
	}
	printf("%s %.2f\n", name, sum);
}

int main(int count, char **arguments)
{
	if (count != 5) {
		fprintf(stderr, "hashes KIB PASSES PROCESSES SECONDS\n");
		return 1;
	}
	struct cost cost = { (unsigned)atoi(arguments[1]), (unsigned)atoi(arguments[2]) };
	int processes = atoi(arguments[3]);
	double seconds = atof(arguments[4]);
	setvbuf(stdout, NULL, _IONBF, 0);
	measure("libargon2", by_libargon2, &cost, processes, seconds);
#ifdef LATCHKEY_SODIUM
	if (sodium_init() < 0)
		return 1;
	measure("libsodium", by_libsodium, &cost, processes, seconds);
#endif
	measure("resident", by_hasher, &cost, processes, seconds);
	return 0;
}
