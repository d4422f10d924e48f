/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PASSWORDS_ARGON2_H
#define LATCHKEY_PASSWORDS_ARGON2_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/text.h"
#include "passwords/door.h"

/* What one hash costs (RFC 9106): one lane, 16 octets of salt, 32 of hash, version 0x13. */
struct password_cost {
	uint32_t memory; /* KiB */
	uint32_t passes;
};

enum password_match {
	PASSWORD_MATCHES,
	PASSWORD_DIFFERS,
	/* no Argon2id string, or one that would cost too much to check, or no memory for it */
	PASSWORD_UNREADABLE,
	PASSWORD_BUSY, /* HASH_BUSY */
};

/* Has a hash computed behind the door, which may wait, and prints it in the PHC string form
 * ($argon2id$v=19$m=…,t=…,p=1$salt$hash) into the arena. HASH_FAILED also at a cost that
 * password_verify() would refuse. */
__attribute__((warn_unused_result)) enum hash_result password_hash(struct arena *arena,
	const struct hash_door *door, struct password_cost cost, struct text password,
	struct text *phc);

/* Has a hash computed behind the door, which may wait, whatever the answer, at the cost that the
 * string names: at most 1 GiB, 16 passes and 8 lanes. Where that is cheaper than `cost`, which is
 * today's, it takes as long all the same, so that the time does not tell how old a password is.
 * Compares in constant time. */
__attribute__((warn_unused_result)) enum password_match password_verify(struct arena *arena,
	const struct hash_door *door, struct password_cost cost, struct text phc,
	struct text password);

/* True where a string was made at another cost than this one, and should be made anew. */
bool password_is_outdated(struct arena *arena, struct text phc, struct password_cost cost);

/* A string of that cost that no password matches, made without hashing. Verifying against it
 * costs what verifying against a user's costs. */
struct text password_decoy(struct arena *arena, struct password_cost cost);

#endif
