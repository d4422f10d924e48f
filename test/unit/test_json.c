/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/json.h"

static struct arena arena;

static bool reads(struct text json, struct json_object *object)
{
	const char *reason = NULL;
	bool read = json_read(&arena, json, object, &reason);
	assert_true(read || reason);
	return read;
}

static void bad_documents_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = { "", " ", "7", "\"x\"", "null", "true", "[]", "[{}]", "{",
		"}", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":}", "{\"a\" 1}", "{a:1}", "{'a':1}",
		"{\"a\":1,}", "{,}", "{\"a\":1,,\"b\":2}", "{}{}", "{} x", "{}\"", "{}\"}", "{}n",
		"{}1", "{} -", "{\"a\":01}", "{\"a\":+1}", "{\"a\":1.}", "{\"a\":.5}",
		"{\"a\":NaN}", "{\"a\":tru}", "{\"a\":\"", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}",
		"{\"a\":\"\n\"}", "{\"a\":\"\t\"}", "{\"a\":1/**/}", "{\"a\":[}", "{\"a\":{]}",
		"\xef\xbb\xbf{}", "{\"a\":\"\xe4\"}", "{\"a\":\"\xc0\x80\"}",
		"{\"a\":\"\xed\xa0\x80\"}", "{\"a\":\"\xf4\x90\x80\x80\"}", "{\"a\":\"\\ud800\"}",
		"{\"a\":\"\\udc00\"}", "{\"a\":\"\\ud800\\u0041\"}", "{\"a\":1,\"a\":2}",
		"{\"a\":1,\"\\u0061\":2}", "{\"x\":{\"a\":1,\"a\":1}}",
		"{\"x\":[{\"a\":1,\"a\":1}]}", "\v{}", "{}\f", "{\"a\":\f1}", "{\v\"a\":1}",
		"{\"a\"\v:1}", "\xc2\xa0{}", "\xe2\x80\xa8{}", "{\"a\":-}", "{\"a\":--1}",
		"{\"a\":1e}", "{\"a\":1e+}", "{\"a\":0x1}", "{\"a\":-01}", "{\"a\":00}",
		"{\"a\":1 2}", "{\"a\":truefalse}", "{\"a\":nulll}", "{\"a\":True}",
		"{\"a\":Infinity}", "{\"a\":\"\\U0041\"}", "{\"a\":\"\\'\"}", "{\"a\":\"\\v\"}",
		"{\"a\":\"\\0\"}", "{\"a\":\"\\u00g0\"}", "{1:2}", "{null:1}",
		"{\"a\":\"\xc1\xbf\"}", "{\"a\":\"\xe0\x9f\xbf\"}", "{\"a\":\"\xf0\x8f\xbf\xbf\"}",
		"{\"\xff\":1}", "{\"\\ud800\":1}" };
	struct json_object object;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (reads(text_of(bad[i]), &object))
			fail_msg("read: %s", bad[i]);
}

/* RFC 8259 section 2: space, tab, LF and CR; section 6: numbers of any size. */
static void good_documents_are_read(void **state)
{
	(void)state;
	static const char *const good[] = { "{}", " \t\n\r{ \t\n\r} \t\n\r", "{\"a\":0}",
		"{\"a\":-0}", "{\"a\":1e400}", "{\"a\":1E+2}", "{\"a\":-1.5e-3}",
		"{\"a\":99999999999999999999999999}", "{\"a\":\"\\b\\f\\n\\r\\t\\/\\\\\\\"\"}",
		"{\"\":1}", "{\"a\":\"\x7f\"}", "{\"a\":[[],{}]}", "{\"a\":\"\xef\xbf\xbf\"}" };
	struct json_object object;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!reads(text_of(good[i]), &object))
			fail_msg("refused: %s", good[i]);
}

static void members_have_types_and_values(void **state)
{
	(void)state;
	struct json_object object;
	assert_true(
		reads(TEXT(" {\"s\":\"x\\u00e4\",\"n\":-1.5e3,\"t\":true,\"f\":false,\"z\":null,"
			   "\"o\":{\"s\":\"inner\"},\"a\":[1,\"two\"],\"one\":[\"only\"]} "),
			&object));
	assert_int_equal(object.count, 8);
	assert_true(text_equal(json_find(&object, TEXT("s"))->value, TEXT("xä")));
	assert_true(text_equal(json_find(&object, TEXT("n"))->value, TEXT("-1.5e3")));
	assert_int_equal(json_find(&object, TEXT("n"))->type, JSON_NUMBER);
	assert_true(text_equal(json_find(&object, TEXT("t"))->value, TEXT("true")));
	assert_int_equal(json_find(&object, TEXT("z"))->type, JSON_NULL);
	assert_int_equal(json_find(&object, TEXT("o"))->type, JSON_OBJECT);
	assert_int_equal(json_find(&object, TEXT("a"))->type, JSON_ARRAY);
	assert_false(text_is_given(json_find(&object, TEXT("a"))->value));
	assert_true(text_equal(json_find(&object, TEXT("one"))->value, TEXT("only")));
	assert_null(json_find(&object, TEXT("inner")));
}

static void nul_and_pairs_of_surrogates_arrive_whole(void **state)
{
	(void)state;
	struct json_object object;
	assert_true(
		reads(TEXT("{\"a\":\"x\\u0000y\",\"b\":\"\\ud83d\\ude00\",\"c\":\"\\\\ud800\"}"),
			&object));
	assert_int_equal(object.members[0].value.length, 3);
	assert_memory_equal(object.members[0].value.at, "x\0y", 3);
	assert_true(text_equal(object.members[1].value, TEXT("\xf0\x9f\x98\x80")));
	assert_true(text_equal(object.members[2].value, TEXT("\\ud800")));
}

static void depth_is_bounded(void **state)
{
	(void)state;
	struct json_object object;
	assert_true(reads(TEXT("{\"a\":[[[[[[[]]]]]]]}"), &object));
	assert_false(reads(TEXT("{\"a\":[[[[[[[[]]]]]]]]}"), &object));
	char *deep = arena_alloc(&arena, 100000);
	memset(deep, '[', 100000);
	assert_false(reads((struct text){ deep, 100000 }, &object));
}

static void keys_of_different_objects_may_be_alike(void **state)
{
	(void)state;
	struct json_object object;
	assert_true(reads(TEXT("{\"a\":{\"a\":{\"a\":1}},\"b\":[{\"a\":1},{\"a\":2}]}"), &object));
}

static void the_writer_escapes(void **state)
{
	(void)state;
	struct json_writer json;
	struct text written;
	json_begin(&json, &arena);
	json_open_object(&json, NULL);
	json_text(&json, "a", TEXT("\"\\\n\x01ä"));
	json_integer(&json, "n", INT64_MIN);
	json_boolean(&json, "t", true);
	json_null(&json, "z");
	json_open_array(&json, "l");
	json_string(&json, NULL, "x");
	json_close_array(&json);
	json_close_object(&json);
	assert_true(json_end(&json, &written));
	assert_true(text_equal(
		written, TEXT("{\"a\":\"\\\"\\\\\\n\\u0001ä\",\"n\":-9223372036854775808,"
			      "\"t\":true,\"z\":null,\"l\":[\"x\"]}")));
}

static void the_writer_remembers_its_failure(void **state)
{
	(void)state;
	static const char *const bad[] = { "\xff", "\xed\xa0\x80", "\xc0\x80" };
	for (size_t i = 0; i < 3; i++) {
		struct json_writer json;
		struct text written;
		json_begin(&json, &arena);
		json_open_object(&json, NULL);
		json_string(&json, "a", bad[i]);
		json_string(&json, "b", "fine");
		json_close_object(&json);
		assert_false(json_end(&json, &written));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_documents_are_refused),
		cmocka_unit_test(good_documents_are_read),
		cmocka_unit_test(members_have_types_and_values),
		cmocka_unit_test(nul_and_pairs_of_surrogates_arrive_whole),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(keys_of_different_objects_may_be_alike),
		cmocka_unit_test(the_writer_escapes),
		cmocka_unit_test(the_writer_remembers_its_failure),
	};
	arena_init(&arena);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_finish(&arena);
	return failed;
}
