/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_HASH_CLIENT_H
#define LATCHKEY_PROCESS_HASH_CLIENT_H

#include "passwords/door.h"
#include "process/hash_channel.h"
#include "process/loop.h"

/*
 * A worker's side of the hashers: the door behind which tasks wait for their hashes while others go on.
 * Who would wait for more than two seconds until its hash is begun is told at once that the hashers
 * are busy (HASH_BUSY). A job that a hasher had in its hands when it died is sent again.
 */
struct hash_client {
	struct watch replies; /* must be the first */
	struct hash_door door;
	struct loop *loop;
	struct waiter waiter;
	const struct hash_channel *channel;
	unsigned number; /* of this worker */
	uint64_t identity; /* random: what is said to a predecessor is not for this one */
	uint32_t last_id;
	int64_t microseconds; /* that a hash takes, of late */
	struct hash_call *calls; /* of the tasks that wait */
};

/* kib: what a hash costs at present, in KiB times passes. The channel and the loop outlive it. False
 * with errno. */
__attribute__((warn_unused_result)) bool hash_client_init(struct hash_client *client,
	struct loop *loop, const struct hash_channel *channel, unsigned number, int64_t kib);

/* No task may wait any more. */
void hash_client_finish(struct hash_client *client);

#endif
