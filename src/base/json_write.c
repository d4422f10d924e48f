/* SPDX-License-Identifier: MIT */
/* JSON out. yajl's generator checks UTF-8 as leniently as its parser, so that is done here. */
#include <string.h>
#include <yajl/yajl_gen.h>

#include "base/json.h"
#include "base/json_memory.h"

void json_begin(struct json_writer *writer, struct arena *arena)
{
	yajl_alloc_funcs memory = json_memory(arena);
	writer->generator = yajl_gen_alloc(&memory);
	writer->failed = !writer->generator ||
			 !yajl_gen_config(writer->generator, yajl_gen_validate_utf8, 1);
}

static void note(struct json_writer *writer, yajl_gen_status status)
{
	writer->failed |= status != yajl_gen_status_ok;
}

static void put_key(struct json_writer *writer, const char *key)
{
	if (key)
		note(writer, yajl_gen_string(
				     writer->generator, (const unsigned char *)key, strlen(key)));
}

void json_open_object(struct json_writer *writer, const char *key)
{
	put_key(writer, key);
	note(writer, yajl_gen_map_open(writer->generator));
}

void json_close_object(struct json_writer *writer)
{
	note(writer, yajl_gen_map_close(writer->generator));
}

void json_open_array(struct json_writer *writer, const char *key)
{
	put_key(writer, key);
	note(writer, yajl_gen_array_open(writer->generator));
}

void json_close_array(struct json_writer *writer)
{
	note(writer, yajl_gen_array_close(writer->generator));
}

void json_text(struct json_writer *writer, const char *key, struct text value)
{
	put_key(writer, key);
	/* yajl's own check is as lenient as its parser's */
	writer->failed |= !utf8_is_valid(value);
	note(writer,
		yajl_gen_string(writer->generator,
			(const unsigned char *)(value.length > 0 ? value.at : ""), value.length));
}

void json_string(struct json_writer *writer, const char *key, const char *value)
{
	json_text(writer, key, text_of(value));
}

void json_integer(struct json_writer *writer, const char *key, int64_t value)
{
	put_key(writer, key);
	note(writer, yajl_gen_integer(writer->generator, value));
}

void json_boolean(struct json_writer *writer, const char *key, bool value)
{
	put_key(writer, key);
	note(writer, yajl_gen_bool(writer->generator, value));
}

void json_null(struct json_writer *writer, const char *key)
{
	put_key(writer, key);
	note(writer, yajl_gen_null(writer->generator));
}

bool json_end(struct json_writer *writer, struct text *json)
{
	const unsigned char *at;
	size_t length;
	note(writer, yajl_gen_get_buf(writer->generator, &at, &length));
	if (!writer->failed)
		*json = (struct text){ (const char *)at, length };
	return !writer->failed;
}
