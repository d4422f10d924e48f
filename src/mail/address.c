/* SPDX-License-Identifier: MIT */
/* What stands in an envelope is sent as a command: nothing may be in it that ends one. */
#include <string.h>

#include "mail/transport.h"

#define ADDRESS_MAXIMUM 254

bool address_is_safe(struct text address)
{
	size_t at = text_find(address, '@');
	if (address.length > ADDRESS_MAXIMUM || at == 0 || at + 1 >= address.length ||
		text_find(text_after(address, at + 1), '@') < address.length - at - 1)
		return false;
	for (size_t i = 0; i < address.length; i++) {
		unsigned char c = (unsigned char)address.at[i];
		if (c <= 0x20 || c >= 0x7f || strchr("<>()[]\\,;:\"", c))
			return false;
	}
	return true;
}
