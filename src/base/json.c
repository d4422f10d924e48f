/* SPDX-License-Identifier: MIT */
/*
 * yajl is quick and lenient; what it lets through is checked here: UTF-8 (it takes overlong forms
 * and surrogates), surrogate escapes (it makes other characters of unpaired ones), white space (it
 * takes vertical tabs and form feeds), duplicate keys, depth.
 */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "base/json_memory.h"

/* A key, and which object it is in. */
struct seen_key {
	size_t object;
	struct text name;
};

struct reader {
	struct arena *arena;
	const char *reason;
	size_t depth;
	size_t object[JSON_DEPTH]; /* which object is open on each level; 0: an array */
	size_t objects;
	struct seen_key *keys;
	size_t key_count, key_room;
	struct json_member *members;
	size_t member_count, member_room;
	size_t array_values; /* of the array that is a member's value */
};

static int refuse(struct reader *reader, const char *reason)
{
	reader->reason = reason;
	return 0;
}

/* Room for one more; what is outgrown stays in the arena. */
static void *grow(struct arena *arena, void *old, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return old;
	*room = *room ? *room * 2 : 16;
	void *larger = arena_alloc(arena, *room * size);
	if (count > 0)
		memcpy(larger, old, count * size);
	return larger;
}

/* A value stands where the outer object is open, or in the array that is a member's value. */
static int take_value(struct reader *reader, enum json_type type, struct text value)
{
	/* the first value inside the object follows its first key */
	if (reader->depth == 0 || reader->member_count == 0)
		return refuse(reader, "The body is not a JSON object");
	struct json_member *member = &reader->members[reader->member_count - 1];
	if (reader->depth == 1) {
		member->type = type;
		member->value = value;
	} else if (reader->depth == 2 && member->type == JSON_ARRAY && reader->object[1] == 0) {
		reader->array_values++;
		member->value =
			reader->array_values == 1 && type == JSON_STRING ? value : TEXT_NONE;
	}
	return 1;
}

static int open_level(struct reader *reader, enum json_type type)
{
	if (reader->depth == 0 && type == JSON_ARRAY)
		return refuse(reader, "The body is not a JSON object");
	if (reader->depth > 0 && !take_value(reader, type, TEXT_NONE))
		return 0;
	if (reader->depth == JSON_DEPTH)
		return refuse(reader, "The body is nested too deeply");
	if (reader->depth == 1)
		reader->array_values = 0;
	reader->object[reader->depth++] = type == JSON_OBJECT ? ++reader->objects : 0;
	return 1;
}

static int on_null(void *context)
{
	return take_value(context, JSON_NULL, TEXT_NONE);
}

static int on_boolean(void *context, int value)
{
	return take_value(context, JSON_BOOLEAN, value ? TEXT("true") : TEXT("false"));
}

static struct text keep(struct reader *reader, const void *at, size_t length)
{
	return (struct text){ arena_copy(reader->arena, at, length), length };
}

static int on_number(void *context, const char *at, size_t length)
{
	return take_value(context, JSON_NUMBER, keep(context, at, length));
}

static int on_string(void *context, const unsigned char *at, size_t length)
{
	return take_value(context, JSON_STRING, keep(context, at, length));
}

static int on_start_map(void *context)
{
	return open_level(context, JSON_OBJECT);
}

static int on_start_array(void *context)
{
	return open_level(context, JSON_ARRAY);
}

static int on_end(void *context)
{
	((struct reader *)context)->depth--;
	return 1;
}

static int on_key(void *context, const unsigned char *at, size_t length)
{
	struct reader *reader = context;
	struct text name = keep(reader, at, length);
	reader->keys = grow(reader->arena, reader->keys, reader->key_count, &reader->key_room,
		sizeof(*reader->keys));
	reader->keys[reader->key_count++] =
		(struct seen_key){ reader->object[reader->depth - 1], name };
	if (reader->depth == 1) {
		reader->members = grow(reader->arena, reader->members, reader->member_count,
			&reader->member_room, sizeof(*reader->members));
		reader->members[reader->member_count++] = (struct json_member){ .name = name };
	}
	return 1;
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_start_map,
	.yajl_map_key = on_key,
	.yajl_end_map = on_end,
	.yajl_start_array = on_start_array,
	.yajl_end_array = on_end,
};

static int compare_keys(const void *a, const void *b)
{
	const struct seen_key *left = a;
	const struct seen_key *right = b;
	if (left->object != right->object)
		return left->object < right->object ? -1 : 1;
	return text_compare(left->name, right->name);
}

/* Sorted once at the end: hostile bodies with thousands of keys cost no more than others. */
static bool has_duplicate_key(struct reader *reader)
{
	if (reader->key_count > 1)
		qsort(reader->keys, reader->key_count, sizeof(*reader->keys), compare_keys);
	for (size_t i = 1; i < reader->key_count; i++)
		if (compare_keys(&reader->keys[i - 1], &reader->keys[i]) == 0)
			return true;
	return false;
}

/* The value of the four hexadecimal digits, or -1. */
static long hexadecimal(struct text text)
{
	long value = 0;
	if (text.length < 4)
		return -1;
	for (size_t i = 0; i < 4; i++) {
		char c = text.at[i];
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;
		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

/* RFC 8259 section 7: a character beyond the basic plane is a pair of escapes. Backslashes stand in
 * strings only, so the text can be walked without parsing it. */
static bool surrogates_are_paired(struct text json)
{
	for (;;) {
		json = text_after(json, text_find(json, '\\'));
		if (json.length < 2)
			return true;
		if (json.at[1] != 'u') {
			json = text_after(json, 2);
			continue;
		}
		long unit = hexadecimal(text_after(json, 2));
		json = text_after(json, 6);
		if (unit >= 0xdc00 && unit <= 0xdfff)
			return false;
		if (unit < 0xd800 || unit > 0xdbff)
			continue;
		if (!text_starts_with(json, TEXT("\\u")))
			return false;
		unit = hexadecimal(text_after(json, 2));
		if (unit < 0xdc00 || unit > 0xdfff)
			return false;
		json = text_after(json, 6);
	}
}

bool json_read(
	struct arena *arena, struct text json, struct json_object *object, const char **reason)
{
	struct reader reader = { .arena = arena };
	if (!utf8_is_valid(json)) {
		*reason = "The body is not UTF-8";
		return false;
	}
	if (!surrogates_are_paired(json)) {
		*reason = "The body has an unpaired surrogate";
		return false;
	}
	/* in a string they are refused anyway, like all control characters */
	if (text_find(json, '\v') < json.length || text_find(json, '\f') < json.length) {
		*reason = "The body is not valid JSON";
		return false;
	}
	yajl_alloc_funcs memory = json_memory(arena);
	yajl_handle parser = yajl_alloc(&callbacks, &memory, &reader);
	/* a quote at the end ends a string that was begun behind the object, which yajl overlooks */
	if (yajl_parse(parser, (const unsigned char *)json.at, json.length) != yajl_status_ok ||
		yajl_complete_parse(parser) != yajl_status_ok ||
		yajl_parse(parser, (const unsigned char *)"\"", 1) != yajl_status_ok) {
		*reason = reader.reason ? reader.reason : "The body is not valid JSON";
		return false;
	}
	if (has_duplicate_key(&reader)) {
		*reason = "The body has a duplicate key";
		return false;
	}
	*object = (struct json_object){ reader.members, reader.member_count };
	return true;
}

const struct json_member *json_find(const struct json_object *object, struct text name)
{
	for (size_t i = 0; i < object->count; i++)
		if (text_equal(object->members[i].name, name))
			return &object->members[i];
	return NULL;
}
