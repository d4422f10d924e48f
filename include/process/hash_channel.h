/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_HASH_CHANNEL_H
#define LATCHKEY_PROCESS_HASH_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HASH_PASSWORD_MAXIMUM 640 /* octets; no operation takes a longer one */
#define HASH_SALT_MAXIMUM 64
#define HASH_SIZE_MAXIMUM 64

/* What a worker asks of the hashers: a message of its own, always of this size, so that how many wait
 * is known from how much the kernel holds. */
struct hash_job {
	uint32_t id; /* the worker's; a later one is greater */
	uint32_t worker; /* whom to answer */
	uint64_t client; /* which process that is: another one has its number after its death */
	uint32_t memory; /* KiB; 0: nothing is to be computed, only answered */
	uint32_t passes;
	uint32_t lanes;
	uint32_t pace_memory; /* KiB; what it means is in passwords/engine.h */
	uint32_t pace_passes;
	uint16_t salt_size;
	uint16_t hash_size;
	uint16_t password_size;
	int64_t begin_before; /* monotonic ms: later nobody waits for it any more */
	unsigned char salt[HASH_SALT_MAXIMUM];
	unsigned char password[HASH_PASSWORD_MAXIMUM];
};

enum hash_said {
	HASH_SAID_STARTED, /* a hasher of that number begins; what its predecessor had in hand is lost */
	HASH_SAID_TAKEN, /* the job is in its hands */
	HASH_SAID_DONE,
	HASH_SAID_LATE, /* it was not begun in time */
	HASH_SAID_FAILED,
	HASH_SAID_PASSED, /* the answer to a job of which nothing is to be computed */
};

/* What a hasher says to a worker. */
struct hash_reply {
	uint32_t id; /* of the job */
	uint64_t client; /* of the job */
	uint16_t hasher; /* its number */
	uint8_t said; /* enum hash_said */
	uint32_t microseconds; /* that it took */
	unsigned char hash[HASH_SIZE_MAXIMUM];
};

/*
 * The sockets between workers and hashers, made before either is forked: one into which all workers
 * write and from which each hasher takes the next job when it is free, and one for each worker into which
 * the hashers write. A process that is killed takes nothing along but the job in its hands.
 */
struct hash_channel {
	int jobs_in;
	int jobs_out;
	unsigned workers;
	unsigned hashers;
	int weight; /* what the kernel counts for one job that waits (SIOCOUTQ) */
	struct hash_replies {
		int in;
		int out;
	} * replies; /* for each worker */
};

/* False with errno; close it all the same. */
__attribute__((warn_unused_result)) bool hash_channel_open(
	struct hash_channel *channel, unsigned workers, unsigned hashers);

/* A zeroed one is taken. When no worker has it open any more, hashers see its end. */
void hash_channel_close(struct hash_channel *channel);

/* In a worker: closes what is the hashers' and other workers'. */
void hash_channel_keep_worker(struct hash_channel *channel, unsigned number);

/* In a hasher: closes what is the workers'. */
void hash_channel_keep_hasher(struct hash_channel *channel);

#endif
