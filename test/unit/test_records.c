/* SPDX-License-Identifier: MIT */
/* Requests as web servers send them pass in pieces of any size; what libfcgi does not survive is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fastcgi.h>
#include <string.h>

#include "http/records.h"

#define ROOM ((size_t)512 * 1024)

/* A stream of records under construction. */
struct stream {
	size_t size;
	unsigned char octets[ROOM];
};

static struct stream stream;

static void add_padded(
	unsigned type, unsigned request, const void *content, size_t size, unsigned padding)
{
	const unsigned char header[8] = { 1, (unsigned char)type, (unsigned char)(request >> 8),
		(unsigned char)request, (unsigned char)(size >> 8), (unsigned char)size,
		(unsigned char)padding, 0 };
	assert_true(stream.size + sizeof(header) + size + padding <= ROOM);
	memcpy(stream.octets + stream.size, header, sizeof(header));
	if (size > 0)
		memcpy(stream.octets + stream.size + sizeof(header), content, size);
	memset(stream.octets + stream.size + sizeof(header) + size, 0xee, padding);
	stream.size += sizeof(header) + size + padding;
}

static void add(unsigned type, const void *content, size_t size)
{
	add_padded(type, 1, content, size, 0);
}

static void begin(unsigned role)
{
	const unsigned char body[8] = { 0, (unsigned char)role, FCGI_KEEP_CONN };
	stream.size = 0;
	add(FCGI_BEGIN_REQUEST, body, sizeof(body));
}

#define PAIRS                                                                                      \
	"\x04\x03"                                                                                 \
	"NAMEabc"                                                                                  \
	"\x80\x00\x00\x01\x80\x00\x00\x00"                                                         \
	"X"
#define PAIRS_SIZE (sizeof(PAIRS) - 1)

/* All of it in pieces of that size; how much was taken. */
static size_t take(struct records *records, size_t piece)
{
	size_t taken = 0;
	records_init(records);
	while (taken < stream.size && records->state == RECORDS_PART) {
		size_t size = stream.size - taken < piece ? stream.size - taken : piece;
		taken += records_take(records, stream.octets + taken, size);
	}
	return taken;
}

static enum records_state state_of(void)
{
	struct records whole;
	struct records octets;
	take(&whole, stream.size);
	take(&octets, 1);
	assert_int_equal(whole.state, octets.state);
	return whole.state;
}

static void a_request_ends_where_it_ends(void **state)
{
	struct records records;
	(void)state;
	begin(FCGI_RESPONDER);
	add_padded(FCGI_PARAMS, 1, PAIRS, PAIRS_SIZE, 7);
	add(FCGI_PARAMS, NULL, 0);
	add(FCGI_STDIN, "{}", 2);
	add_padded(FCGI_STDIN, 1, NULL, 0, 255);
	size_t end = stream.size;
	for (size_t piece = 1; piece <= end; piece++) {
		assert_int_equal(take(&records, piece), end);
		assert_int_equal(records.state, RECORDS_END);
		assert_true(records.keeps);
	}
	add(FCGI_STDIN, "behind", 6);
	assert_int_equal(take(&records, stream.size), end);
	assert_int_equal(records.state, RECORDS_END);
	for (stream.size = 0; stream.size < end; stream.size++)
		assert_int_equal(state_of(), RECORDS_PART);
}

/* lighttpd sends no end of the body to an authorizer. */
static void others_end_with_their_parameters(void **state)
{
	static const unsigned roles[] = { FCGI_AUTHORIZER, FCGI_FILTER, 0, 4, 255 };
	(void)state;
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		begin(roles[i]);
		add(FCGI_PARAMS, PAIRS, PAIRS_SIZE);
		assert_int_equal(state_of(), RECORDS_PART);
		add(FCGI_PARAMS, NULL, 0);
		assert_int_equal(state_of(), RECORDS_END);
	}
}

static void pairs_are_cut_anywhere(void **state)
{
	(void)state;
	for (size_t cut = 0; cut <= PAIRS_SIZE; cut++) {
		begin(FCGI_RESPONDER);
		if (cut > 0)
			add(FCGI_PARAMS, PAIRS, cut);
		if (cut > 0 && cut < PAIRS_SIZE)
			add(FCGI_PARAMS, &PAIRS[cut], PAIRS_SIZE - cut);
		add(FCGI_PARAMS, NULL, 0);
		add(FCGI_STDIN, NULL, 0);
		assert_int_equal(state_of(), RECORDS_END);
	}
}

static void pairs_that_do_not_end_are_refused(void **state)
{
	(void)state;
	for (size_t size = 1; size < PAIRS_SIZE; size++) {
		if (size == 9)
			continue; /* the first pair alone */
		begin(FCGI_RESPONDER);
		add(FCGI_PARAMS, PAIRS, size);
		add(FCGI_PARAMS, NULL, 0);
		assert_int_equal(state_of(), RECORDS_REFUSED);
	}
}

static void lengths_that_libfcgi_adds_up_in_an_int_are_refused(void **state)
{
	static const char *const lengths[] = { "\xff\xff\xff\xfe\xff\xff\xff\xfe",
		"\xff\xff\xff\xff\x01", "\x01\xff\xff\xff\xff", "\x80\x02\x00\x01\x01" };
	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		begin(FCGI_RESPONDER);
		add(FCGI_PARAMS, lengths[i], i == 0 ? 8 : 5);
		assert_int_equal(state_of(), RECORDS_REFUSED);
	}
}

static void parameters_in_excess_are_refused(void **state)
{
	static const unsigned char empty[2 * RECORDS_PARAMETER_COUNT];
	static unsigned char large[60000] = { 0x81, 0x86, 0x9f };
	(void)state;
	begin(FCGI_RESPONDER);
	add(FCGI_PARAMS, empty, sizeof(empty));
	assert_int_equal(state_of(), RECORDS_PART);
	add(FCGI_PARAMS, empty, 2);
	assert_int_equal(state_of(), RECORDS_REFUSED);
	begin(FCGI_RESPONDER);
	memcpy(large, "\x01\x80\x01\xf0\x00", 5);
	for (int i = 0; i < 2; i++)
		add(FCGI_PARAMS, large, sizeof(large));
	assert_int_equal(state_of(), RECORDS_PART);
	add(FCGI_PARAMS, large, sizeof(large));
	assert_int_equal(state_of(), RECORDS_REFUSED);
}

static void what_is_out_of_order_is_refused(void **state)
{
	(void)state;
	for (unsigned type = 0; type <= 255; type++) {
		stream.size = 0;
		if (type != FCGI_BEGIN_REQUEST) {
			add(type, "12345678", 8);
			assert_int_equal(state_of(), RECORDS_REFUSED);
		}
		begin(FCGI_RESPONDER);
		add(type, NULL, 0);
		assert_int_equal(state_of(), type == FCGI_PARAMS          ? RECORDS_PART
					     : type == FCGI_ABORT_REQUEST ? RECORDS_ABORTED
									  : RECORDS_REFUSED);
		begin(FCGI_RESPONDER);
		add(FCGI_PARAMS, NULL, 0);
		add(type, "x", 1);
		assert_int_equal(state_of(), type == FCGI_STDIN           ? RECORDS_PART
					     : type == FCGI_ABORT_REQUEST ? RECORDS_ABORTED
									  : RECORDS_REFUSED);
	}
}

static void other_requests_and_management_are_refused(void **state)
{
	(void)state;
	static const unsigned ids[] = { 0, 2, 257 };
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		begin(FCGI_RESPONDER);
		add_padded(FCGI_PARAMS, ids[i], PAIRS, PAIRS_SIZE, 0);
		assert_int_equal(state_of(), RECORDS_REFUSED);
	}
	stream.size = 0;
	add_padded(FCGI_GET_VALUES, 0,
		"\x0e\x00"
		"FCGI_MAX_CONNS",
		16, 0);
	assert_int_equal(state_of(), RECORDS_REFUSED);
	stream.size = 0;
	add_padded(FCGI_BEGIN_REQUEST, 0, "\0\1\0\0\0\0\0", 8, 0);
	assert_int_equal(state_of(), RECORDS_REFUSED);
	stream.size = 0;
	add(FCGI_BEGIN_REQUEST, "\0\1\0\0\0\0\0\0\0", 9);
	assert_int_equal(state_of(), RECORDS_REFUSED);
}

static void garbage_is_refused_at_once(void **state)
{
	struct records records;
	(void)state;
	records_init(&records);
	assert_int_equal(records_take(&records, (const unsigned char *)"GET /", 5), 1);
	assert_int_equal(records.state, RECORDS_REFUSED);
	assert_int_equal(records_take(&records, (const unsigned char *)"\1\1", 2), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_ends_where_it_ends),
		cmocka_unit_test(others_end_with_their_parameters),
		cmocka_unit_test(pairs_are_cut_anywhere),
		cmocka_unit_test(pairs_that_do_not_end_are_refused),
		cmocka_unit_test(lengths_that_libfcgi_adds_up_in_an_int_are_refused),
		cmocka_unit_test(parameters_in_excess_are_refused),
		cmocka_unit_test(what_is_out_of_order_is_refused),
		cmocka_unit_test(other_requests_and_management_are_refused),
		cmocka_unit_test(garbage_is_refused_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
