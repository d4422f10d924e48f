/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_BASE_CLOCK_H
#define LATCHKEY_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

#define RFC3339_SIZE 21 /* 2026-01-02T03:04:05Z and the NUL */

/* Seconds, and milliseconds, since 1970 in UTC. */
int64_t clock_now(void);
int64_t clock_now_ms(void);

/* Milliseconds on a clock that never jumps; only differences mean anything. */
int64_t clock_monotonic_ms(void);

/* RFC 3339 in UTC; the years 0001 to 9999. */
void clock_rfc3339(int64_t seconds, char text[RFC3339_SIZE]);

/* "90s", "15m", "1h", "30d" in seconds; a number alone is seconds. False for anything else and
 * for more than a hundred years. */
bool clock_duration(struct text text, long *seconds);

#endif
