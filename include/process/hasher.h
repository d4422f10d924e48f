/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_HASHER_H
#define LATCHKEY_PROCESS_HASHER_H

#include "base/log.h"
#include "process/hash_channel.h"

struct hasher_settings {
	const struct hash_channel *channel;
	const struct log *log;
	const char *log_target;
	unsigned number; /* which hasher it is, from 0 */
	uint32_t memory; /* KiB of the usual hash */
};

/*
 * A hasher's life: one job after the other, at lower priority than workers, so that a flood of log-ins
 * slows nothing else. It knows nothing but the job: no key, no database, no connection. It ends when
 * it was asked to stop and no worker is left that could send a job. Returns the exit status.
 */
int hasher_run(const struct hasher_settings *settings);

#endif
