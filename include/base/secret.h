/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_BASE_SECRET_H
#define LATCHKEY_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

#define SHA256_SIZE 32

/* Random octets fit for keys. A machine that has none ends the process: no answer that was
 * made without them may leave it. */
void secret_random(void *octets, size_t size);

/* Equality in a time that depends on size alone. */
bool secret_equal(const void *a, const void *b, size_t size);

/* Overwrites, and is not optimised away. */
void secret_cleanse(void *octets, size_t size);

/* SHA-256 (FIPS 180-4). */
void secret_sha256(struct text message, unsigned char digest[SHA256_SIZE]);

#endif
