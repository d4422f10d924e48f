/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PASSWORDS_DOOR_H
#define LATCHKEY_PASSWORDS_DOOR_H

#include "passwords/engine.h"
#include "passwords/pace.h"

enum hash_result {
	HASH_DONE,
	HASH_BUSY, /* it would have to wait for too long; soon there may be room */
	HASH_FAILED, /* memory cannot be had, or the parameters are none */
};

/*
 * Where hashes are computed: here, or by another process that is waited for while others go on. Who
 * needs a hash makes the order and does not know which. hash has room for order->hash_size.
 */
struct hash_door {
	enum hash_result (*compute)(
		void *context, const struct hash_order *order, unsigned char *hash);
	void *context;
};

/* Computes in this process with the fastest engine that applies, in the order's memory. Nothing else
 * runs meanwhile. pace is what this process knows of earlier hashes, and learns from this one; NULL:
 * nothing. */
__attribute__((warn_unused_result)) enum hash_result hash_compute(
	const struct hash_order *order, struct hash_pace *pace, unsigned char *hash);

/* The door that does just that, in memory of the engine's own. A copy may have a struct hash_pace as
 * its context. */
extern const struct hash_door hash_door_here;

#endif
