/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

#define CENTURY (100L * 366 * 24 * 3600)

static int64_t milliseconds_of(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_now(void)
{
	return milliseconds_of(CLOCK_REALTIME) / 1000;
}

int64_t clock_now_ms(void)
{
	return milliseconds_of(CLOCK_REALTIME);
}

int64_t clock_monotonic_ms(void)
{
	return milliseconds_of(CLOCK_MONOTONIC);
}

void clock_rfc3339(int64_t seconds, char text[RFC3339_SIZE])
{
	time_t time = (time_t)seconds;
	struct tm utc;
	if (!gmtime_r(&time, &utc) || strftime(text, RFC3339_SIZE, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
		snprintf(text, RFC3339_SIZE, "9999-12-31T23:59:59Z");
}

/* Seconds in a unit, or 0. */
static long unit_seconds(char unit)
{
	switch (unit) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return 24L * 3600;
	default:
		return 0;
	}
}

bool clock_duration(struct text text, long *seconds)
{
	long unit = 1;
	if (text.length > 0 && unit_seconds(text.at[text.length - 1]) > 0) {
		unit = unit_seconds(text.at[text.length - 1]);
		text.length--;
	}
	long long count;
	if (text.length == 0 || text.at[0] == '-' || !text_integer(text, &count) ||
		count > CENTURY / unit)
		return false;
	*seconds = (long)count * unit;
	return true;
}
