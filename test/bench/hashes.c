/* SPDX-License-Identifier: MIT */
/*
 * How many Argon2id hashes a second as many processes can compute, by each library's plain
 * interface, and nothing else: the limit of a log-in.
 *     hashes KIB PASSES PROCESSES SECONDS
 */
#include <argon2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef LATCHKEY_SODIUM
#include <sodium.h>
#endif

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
		if (fork() == 0)
			hash(by, cost, seconds, pipe_ends[1]);
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
	return 0;
}
