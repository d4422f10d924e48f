/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_API_DIALECT_H
#define LATCHKEY_API_DIALECT_H

#include <stddef.h>

#include "http/request.h"
#include "operations/operation.h"
#include "operations/values.h"

/*
 * The vocabulary of wire formats. A dialect is one file of tables in these words and no code: what
 * it serves is decoded, encoded and documented from the same rows.
 */

/* Where a value comes from. */
enum source { SOURCE_BODY, SOURCE_PATH, SOURCE_COOKIE };

/* The offset of a member of that type; another type does not compile. */
#define TYPED_OFFSET(structure, member, type)                                                      \
	(offsetof(structure, member) + 0 * sizeof(struct {                                         \
		_Static_assert(_Generic(((structure *)0)->member, type : 1, default : 0),          \
			"the member is not of the type of its kind");                              \
		char unused;                                                                       \
	}))
#define INPUT_OFFSET(member) TYPED_OFFSET(struct input, member, struct text)

/* One value of a request. A list ends with a row without key. */
struct input_member {
	const char *key; /* as the description spells it */
	const char *alias; /* another spelling that is taken where the first is not there */
	enum source source;
	enum value_kind kind;
	bool required;
	size_t offset; /* of a struct text in struct input */
};

#define INPUT_END                                                                                  \
	{                                                                                          \
		.key = NULL                                                                        \
	}
#define REQUIRED(name, member, value)                                                              \
	{                                                                                          \
		.key = (name), .kind = (value), .required = true, .offset = INPUT_OFFSET(member)   \
	}
#define OPTIONAL(name, member, value)                                                              \
	{                                                                                          \
		.key = (name), .kind = (value), .offset = INPUT_OFFSET(member)                     \
	}
/* Log-in takes either word in every dialect; the documented one comes first. */
#define LOGIN_NAME(name, other)                                                                    \
	{                                                                                          \
		.key = (name), .alias = (other), .kind = VALUE_LOGIN_NAME, .required = true,       \
		.offset = INPUT_OFFSET(login_name)                                                 \
	}
#define FROM_PATH(name, member)                                                                    \
	{                                                                                          \
		.key = (name), .source = SOURCE_PATH, .kind = VALUE_TOKEN,                         \
		.offset = INPUT_OFFSET(member)                                                     \
	}
#define FROM_COOKIE(name, member)                                                                  \
	{                                                                                          \
		.key = (name), .source = SOURCE_COOKIE, .kind = VALUE_TOKEN,                       \
		.offset = INPUT_OFFSET(member)                                                     \
	}

/* One member of an answer. A list ends with REPLY_END. */
enum reply_kind {
	REPLY_STOP,
	REPLY_OPEN, /* the following are members of an object, until REPLY_CLOSE */
	REPLY_CLOSE,
	REPLY_TEXT, /* struct text; one that is not there is "" */
	REPLY_TEXT_OR_NULL,
	REPLY_TEXT_IF_GIVEN, /* no member where there is no text */
	REPLY_UUID,
	REPLY_INTEGER, /* int64_t */
	REPLY_BOOLEAN, /* bool */
	REPLY_TIME, /* int64_t, seconds since 1970: RFC 3339 */
	REPLY_NULL,
	REPLY_CONSTANT, /* the text `constant` */
	REPLY_MESSAGE, /* `constant`, under the dialect's key for messages */
	REPLY_USER, /* the members that the dialect shows of a user */
	REPLY_SELF, /* the dialect's answer to who-am-I: the user in its envelope */
	REPLY_OPENAPI, /* the dialect's OpenAPI document is the whole answer */
	REPLY_DISCOVERY, /* where verifiers find the keys is the whole answer */
	REPLY_DOCUMENT, /* output.json is the whole answer */
};

struct reply_member {
	enum reply_kind kind;
	const char *key;
	size_t offset; /* in struct output */
	const char *constant;
};

#define REPLY_END                                                                                  \
	{                                                                                          \
		.kind = REPLY_STOP                                                                 \
	}
#define TYPE_OF_REPLY_TEXT struct text
#define TYPE_OF_REPLY_TEXT_OR_NULL struct text
#define TYPE_OF_REPLY_TEXT_IF_GIVEN struct text
#define TYPE_OF_REPLY_UUID struct uuid
#define TYPE_OF_REPLY_INTEGER int64_t
#define TYPE_OF_REPLY_BOOLEAN bool
#define TYPE_OF_REPLY_TIME int64_t
#define SHOW(what, name, member)                                                                   \
	{                                                                                          \
		.kind = REPLY_##what, .key = (name),                                               \
		.offset = TYPED_OFFSET(struct output, member, TYPE_OF_REPLY_##what)                \
	}
#define OPEN(name)                                                                                 \
	{                                                                                          \
		.kind = REPLY_OPEN, .key = (name)                                                  \
	}
#define CLOSE                                                                                      \
	{                                                                                          \
		.kind = REPLY_CLOSE                                                                \
	}
#define CONSTANT(name, text)                                                                       \
	{                                                                                          \
		.kind = REPLY_CONSTANT, .key = (name), .constant = (text)                          \
	}
#define MESSAGE(text)                                                                              \
	{                                                                                          \
		.kind = REPLY_MESSAGE, .constant = (text)                                          \
	}
#define USER                                                                                       \
	{                                                                                          \
		.kind = REPLY_USER                                                                 \
	}
#define SELF                                                                                       \
	{                                                                                          \
		.kind = REPLY_SELF                                                                 \
	}

/* An outcome that a route, or a dialect, says otherwise. A list ends with OUTCOME_OK. */
struct override {
	enum outcome outcome;
	int status; /* 0: as ever */
	const char *text; /* NULL: as ever */
};

#define OVERRIDE_END                                                                               \
	{                                                                                          \
		.outcome = OUTCOME_OK                                                              \
	}

/* Whether a route's answers may tell that there is an account. What is not said hides it. */
enum enumeration {
	ENUMERATION_HIDE, /* never */
	ENUMERATION_CONFIGURED, /* revealed, unless api.reveal_unknown_email = never */
	ENUMERATION_REVEAL, /* the answer to a success holds what a taken address cannot have */
};

/* What else a route does. */
enum {
	ROUTE_PROTECTED = 1 << 0, /* an access token is needed */
	ROUTE_OPENS_SESSION = 1 << 1, /* registration that answers with tokens */
	ROUTE_SETS_COOKIE = 1 << 2, /* the refresh token goes into the cookie */
	ROUTE_CLEARS_COOKIE = 1 << 3, /* on success, and where no token is good (401) */
	ROUTE_READS_COOKIE = 1 << 4, /* other sites may not send it; a bad one is cleared */
	ROUTE_EITHER_TOKEN = 1 << 5, /* an access token or the refresh token is needed */
};

/* One request that is served. path is matched as a whole, {token} stands for one segment. A list
 * ends with a row without path. */
struct route {
	enum method method;
	const char *path;
	operation *operation; /* NULL: the tables alone answer */
	operation *head; /* of a GET that changes something: answers HEAD, and changes nothing */
	const struct input_member *input; /* NULL: none */
	int status;
	const struct reply_member *reply; /* NULL: no body */
	const struct override *overrides; /* NULL: none */
	enum enumeration enumeration;
	unsigned flags;
	const char *summary; /* for people who read the OpenAPI document */
};

#define GET(at, verb, success)                                                                     \
	.method = METHOD_GET, .path = (at), .operation = (verb), .status = (success)
#define POST(at, verb, success)                                                                    \
	.method = METHOD_POST, .path = (at), .operation = (verb), .status = (success)

struct dialect {
	const char *name;
	const char *message_key; /* of a success that is only a message */
	const char *error_key; /* of the text of an error */
	bool errors_at_top; /* invalid fields also beside the text */
	bool rotates; /* refresh hands the new token over by itself */
	const char *refresh_cookie; /* its name; NULL: there is none */
	const struct reply_member *user; /* what it shows of a user */
	const struct reply_member *self; /* its answer to /me */
	const struct override *overrides; /* in all its routes; NULL: none */
	const struct route *routes; /* its own; those of all dialects come after them */
};

/* All of them, in the order of src/meson.build; the generated table. */
extern const struct dialect *const dialects[];
extern const size_t dialect_count;

/* The dialect of that name, or NULL. */
const struct dialect *dialect_find(struct text name);

/* What every dialect serves beside its own routes. */
extern const struct route common_routes[];

#endif
