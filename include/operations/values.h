/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_OPERATIONS_VALUES_H
#define LATCHKEY_OPERATIONS_VALUES_H

#include <stddef.h>

#include "operations/operation.h"

/* What a value is, and with that what it must look like. */
enum value_kind {
	VALUE_EMAIL, /* an address to register, or to write to */
	VALUE_USERNAME, /* a name to register */
	VALUE_LOGIN_NAME, /* either, as somebody typed it: only its length matters */
	VALUE_PASSWORD, /* to be compared: only its length matters */
	VALUE_NEW_PASSWORD, /* to be kept: length in characters, the lists, the site's name */
	VALUE_NAME, /* a person's */
	VALUE_TOKEN, /* looked at by those who read tokens */
};
#define VALUE_KIND_COUNT 7

/* The part of the rules that can be said as data; the OpenAPI documents are printed from it. */
struct value_rule {
	size_t octets; /* at most */
	size_t characters; /* at most; 0: only the octets count */
	const char *format; /* JSON Schema's word for it, or NULL */
};
extern const struct value_rule value_rules[VALUE_KIND_COUNT];

/* NULL, or what is wrong with a value that was given and is not empty, for people and without
 * the value in it. */
const char *value_check(const struct context *context, enum value_kind kind, struct text value);

/* What is between the two spellings of a name: fills in what can be told from the others. A full
 * name splits at its last space; the two parts join with one. */
void value_names(struct arena *arena, struct text *full_name, struct text *first_name,
	struct text *last_name);

/* An e-mail or username as it is compared: in lower case. */
struct text value_folded(struct arena *arena, struct text name);

#endif
