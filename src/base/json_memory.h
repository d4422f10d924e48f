/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_BASE_JSON_MEMORY_H
#define LATCHKEY_BASE_JSON_MEMORY_H

#include <yajl/yajl_common.h>

#include "base/arena.h"

/* What yajl allocates with, for the reader and the writer. */
yajl_alloc_funcs json_memory(struct arena *arena);

#endif
