/* SPDX-License-Identifier: MIT */
/* What is done about a bug that has been found by itself: nothing more. */
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *condition, const char *file, int line)
{
	fprintf(stderr, "latchkey: %s:%d: check failed: %s\n", file, line, condition);
	abort();
}
