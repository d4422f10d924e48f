/* SPDX-License-Identifier: MIT */
#include "passwords/engine.h"

const struct engine *const engines[] = {
#ifdef LATCHKEY_SODIUM
	&engine_libsodium,
#endif
	&engine_libargon2,
	NULL,
};
