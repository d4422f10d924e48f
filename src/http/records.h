/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_HTTP_RECORDS_H
#define LATCHKEY_HTTP_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a web server sends for one request; more than any lets its clients make it. */
#define RECORDS_PARAMETERS_MAXIMUM ((size_t)128 * 1024) /* octets, names and lengths included */
#define RECORDS_PARAMETER_COUNT 1000

enum records_state {
	RECORDS_PART, /* more is to come */
	RECORDS_END, /* the request was sent to its end */
	RECORDS_ABORTED, /* the web server has given it up (FCGI_ABORT_REQUEST) */
	RECORDS_REFUSED, /* not one request in the order of the specification */
};

/*
 * A look at the records (FastCGI specification 1.0) of one request while they pass by; nothing is
 * kept of them but where in the order one is. libfcgi gets no octet that was refused here: it
 * overwrites its stack when FCGI_GET_VALUES repeats names, computes lengths of parameters in an int,
 * and takes what is left of one request's body for the next one's records.
 */
struct records {
	enum records_state state;
	unsigned char header[8];
	unsigned header_used;
	unsigned char expected; /* type of the next record */
	unsigned request; /* its id */
	unsigned role; /* specification section 5.1 */
	bool keeps; /* FCGI_KEEP_CONN */
	uint8_t padding; /* octets, of the record under way */
	uint8_t begin_used; /* octets of FCGI_BEGIN_REQUEST's body */
	size_t content; /* octets that are left of the record under way */
	/* the pair under way */
	size_t octets; /* of all pairs so far */
	size_t count; /* pairs so far */
	size_t length; /* of its name or value, as far as it was read */
	size_t name; /* octets of its name */
	size_t skip; /* octets of name and value that are left */
	uint8_t width; /* octets of the length that are still to come */
	bool in_value; /* the length is the value's */
};

/* Before the first octet of a request. */
void records_init(struct records *records);

/* Looks at what came next. Returns how many octets of it belong to the request: all of them but
 * where it ends before, or was refused or aborted: records->state says so. */
size_t records_take(struct records *records, const unsigned char *octets, size_t size);

#endif
