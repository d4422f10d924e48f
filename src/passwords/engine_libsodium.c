/* SPDX-License-Identifier: MIT */
/*
 * libsodium has Argon2 in the vector instructions of the processor that it runs on, for one lane
 * and a salt of 16 octets. It maps fresh memory for each hash and unmaps it: clearing and
 * faulting in 4864 pages took 5.8 ms of 13.5 at the default parameters. It cannot be given memory, so
 * while it hashes its mmap() is answered here, with what was lent for the purpose. All other
 * calls, of whomever, go on to the C library. Only hashers lend memory (process/hasher.c): in every
 * other process the condition is never true.
 */
#undef _FILE_OFFSET_BITS /* else what is called mmap here is mmap64 to the linker */
#include <sodium.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "passwords/engine.h"

/* What is lent just now, and whether it is taken. */
static _Thread_local struct {
	struct hash_memory memory;
	bool taken;
} lent;

void *mmap(void *at, size_t size, int protection, int flags, int file, off_t offset)
{
	/* an empty mapping is an error of its caller, and not for us to answer */
	if (lent.memory.at && !lent.taken && size > 0 && size <= lent.memory.size && file == -1) {
		lent.taken = true;
		return lent.memory.at;
	}
	return mmap64(at, size, protection, flags, file, offset);
}

int munmap(void *at, size_t size)
{
	if (lent.taken && at == lent.memory.at) {
		lent.taken = false;
		return 0;
	}
	return (int)syscall(SYS_munmap, at, size);
}

static bool applies(const struct hash_order *order)
{
	return order->lanes == 1 && order->salt_size == crypto_pwhash_argon2id_SALTBYTES &&
	       order->hash_size >= crypto_pwhash_argon2id_BYTES_MIN &&
	       order->memory >= crypto_pwhash_argon2id_MEMLIMIT_MIN / 1024;
}

static bool compute(const struct hash_order *order, unsigned char *hash)
{
	/* it chooses its instructions the first time; after that it costs nothing */
	if (sodium_init() < 0)
		return false;
	lent.memory = order->work;
	int result = crypto_pwhash_argon2id(hash, order->hash_size, order->password.at,
		order->password.length, order->salt, order->passes, (size_t)order->memory * 1024,
		crypto_pwhash_argon2id_ALG_ARGON2ID13);
	lent.memory = (struct hash_memory){ NULL, 0 };
	lent.taken = false;
	return result == 0;
}

const struct engine engine_libsodium = {
	.name = "libsodium",
	.applies = applies,
	.compute = compute,
};
