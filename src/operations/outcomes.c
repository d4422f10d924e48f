/* SPDX-License-Identifier: MIT */
#include "operations/operation.h"

const struct outcome_row outcome_rows[OUTCOME_COUNT] = {
#define OUTCOME(name, status, code, text) [OUTCOME_##name] = { status, code, text },
#include "operations/outcomes.def"
#undef OUTCOME
};
