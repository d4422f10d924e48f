/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PASSWORDS_ENGINE_H
#define LATCHKEY_PASSWORDS_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* Memory that a hash may work in, of whole pages; what is in it does not matter. {NULL, 0}, or too
 * little: the engine gets its own from the kernel, page by page, and gives it back. */
struct hash_memory {
	void *at;
	size_t size;
};

/* One Argon2id (RFC 9106) to compute, version 0x13, without secret and associated data. */
struct hash_order {
	uint32_t memory; /* KiB */
	uint32_t passes;
	uint32_t lanes;
	struct text password;
	const unsigned char *salt;
	size_t salt_size;
	size_t hash_size;
	/* It is to take as long as a hash of this cost, where it is cheaper; 0: it need not. Engines
	 * do not look at it. */
	uint32_t pace_memory;
	uint32_t pace_passes;
	struct hash_memory work;
};

/*
 * Who computes it. All engines that apply to an order give the same octets for it; the first that
 * applies is the fastest. compute() is false where memory cannot be had, or the parameters are
 * none (RFC 9106 section 3.1). hash has room for hash_size.
 */
struct engine {
	const char *name;
	bool (*applies)(const struct hash_order *order);
	bool (*compute)(const struct hash_order *order, unsigned char *hash);
};

extern const struct engine engine_libsodium; /* where the build has it */
extern const struct engine engine_libargon2;

/* Terminated by NULL. */
extern const struct engine *const engines[];

#endif
