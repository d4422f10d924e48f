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

bool address_parse(const char *from, struct text *name, struct text *address)
{
	struct text text = text_trim(text_of(from));
	struct text label = TEXT_NONE;
	size_t open = text_find_last(text, '<');
	if (open < text.length && text.at[text.length - 1] == '>') {
		label = text_trim((struct text){ text.at, open });
		text = (struct text){ text.at + open + 1, text.length - open - 2 };
		if (label.length > 1 && label.at[0] == '"' && label.at[label.length - 1] == '"')
			label = (struct text){ label.at + 1, label.length - 2 };
	}
	if (!address_is_safe(text))
		return false;
	*name = label.length > 0 ? label : TEXT_NONE;
	*address = text;
	return true;
}
