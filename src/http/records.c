/* SPDX-License-Identifier: MIT */
/*
 * One request in the order of the specification's section 5: FCGI_BEGIN_REQUEST, FCGI_PARAMS until an
 * empty one, FCGI_STDIN until an empty one, all with one id. Whatever else a peer sends is refused:
 * no web server sends it, and libfcgi does not survive all of it.
 */
#include "http/records.h"

#include <fastcgi.h>

void records_init(struct records *records)
{
	*records = (struct records){ .expected = FCGI_BEGIN_REQUEST };
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Section 3.4: a length is one octet, or four of which the first has its highest bit set. */
static bool take_length(struct records *records, unsigned char octet)
{
	if (records->width == 0) {
		records->width = octet >> 7 ? 4 : 1;
		records->length = octet & 0x7f;
	} else {
		records->length = records->length << 8 | octet;
	}
	if (--records->width > 0)
		return true;
	if (records->length > RECORDS_PARAMETERS_MAXIMUM)
		return false;
	if (records->in_value)
		records->skip = records->name + records->length;
	else
		records->name = records->length;
	records->in_value = !records->in_value;
	return records->in_value || ++records->count <= RECORDS_PARAMETER_COUNT;
}

static bool take_parameters(struct records *records, const unsigned char *octets, size_t size)
{
	records->octets += size;
	if (records->octets > RECORDS_PARAMETERS_MAXIMUM)
		return false;
	for (size_t at = 0; at < size;) {
		size_t skipped = least(records->skip, size - at);
		records->skip -= skipped;
		at += skipped;
		if (at < size && !take_length(records, octets[at++]))
			return false;
	}
	return true;
}

/* The octets of section 5.1 that matter: the role, and whether the connection is kept. */
static void take_begin(struct records *records, const unsigned char *octets, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned at = records->begin_used++;
		if (at < 2)
			records->role = records->role << 8 | octets[i];
		else if (at == 2)
			records->keeps = octets[i] & FCGI_KEEP_CONN;
	}
}

static bool take_content(struct records *records, const unsigned char *octets, size_t size)
{
	if (records->header[1] == FCGI_BEGIN_REQUEST)
		take_begin(records, octets, size);
	return records->header[1] != FCGI_PARAMS || take_parameters(records, octets, size);
}

/* Whether a record of that header may come now. */
static enum records_state check_header(struct records *records)
{
	const unsigned char *header = records->header;
	unsigned request = (unsigned)header[2] << 8 | header[3];
	records->content = (size_t)header[4] << 8 | header[5];
	records->padding = header[6];
	if (header[0] != FCGI_VERSION_1 || request == 0)
		return RECORDS_REFUSED;
	if (records->expected != FCGI_BEGIN_REQUEST && request != records->request)
		return RECORDS_REFUSED;
	if (header[1] == FCGI_ABORT_REQUEST && records->expected != FCGI_BEGIN_REQUEST)
		return RECORDS_ABORTED;
	records->request = request;
	bool begins = header[1] == FCGI_BEGIN_REQUEST;
	return header[1] == records->expected &&
			       (!begins || records->content == sizeof(FCGI_BeginRequestBody))
		       ? RECORDS_PART
		       : RECORDS_REFUSED;
}

/* The record and its padding are over. */
static enum records_state end_record(struct records *records)
{
	bool empty = ((size_t)records->header[4] << 8 | records->header[5]) == 0;
	records->header_used = 0;
	switch (records->header[1]) {
	case FCGI_BEGIN_REQUEST:
		records->expected = FCGI_PARAMS;
		return RECORDS_PART;
	case FCGI_PARAMS:
		if (!empty)
			return RECORDS_PART;
		if (records->skip > 0 || records->width > 0 || records->in_value)
			return RECORDS_REFUSED;
		records->expected = FCGI_STDIN;
		/* only a responder has a body for certain; others' is never read */
		return records->role == FCGI_RESPONDER ? RECORDS_PART : RECORDS_END;
	default:
		return empty ? RECORDS_END : RECORDS_PART;
	}
}

size_t records_take(struct records *records, const unsigned char *octets, size_t size)
{
	size_t at = 0;
	while (at < size && records->state == RECORDS_PART) {
		if (records->header_used < sizeof(records->header)) {
			records->header[records->header_used++] = octets[at++];
			/* garbage shows at once, and its peer need not be waited for */
			if (records->header[0] != FCGI_VERSION_1)
				records->state = RECORDS_REFUSED;
			else if (records->header_used == sizeof(records->header))
				records->state = check_header(records);
		} else if (records->content > 0) {
			size_t count = least(records->content, size - at);
			records->content -= count;
			if (!take_content(records, octets + at, count))
				records->state = RECORDS_REFUSED;
			at += count;
		} else {
			size_t count = least(records->padding, size - at);
			records->padding = (uint8_t)(records->padding - count);
			at += count;
		}
		if (records->state == RECORDS_PART && records->content == 0 &&
			records->padding == 0 && records->header_used == sizeof(records->header))
			records->state = end_record(records);
	}
	return at;
}
