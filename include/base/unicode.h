/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_BASE_UNICODE_H
#define LATCHKEY_BASE_UNICODE_H

#include <stdbool.h>

#include "base/text.h"

/*
 * True where a text holds a character that has no shape of its own but changes how others are shown:
 * the general categories Cc, Zl, Zp and Cf of Unicode 15.1 (controls, line and paragraph
 * separators, direction marks, tags, invisible operators). ZERO WIDTH JOINER and ZERO WIDTH
 * NON-JOINER are not among them: Persian, Indic scripts and emoji are spelled with them. The text
 * must be valid UTF-8.
 */
bool unicode_has_control(struct text text);

#endif
