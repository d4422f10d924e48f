/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_API_OPENAPI_PARTS_H
#define LATCHKEY_API_OPENAPI_PARTS_H

#include "api/dialect.h"
#include "base/json.h"

/* What the rooms that print one OpenAPI document share. */

#define OPENAPI_SHAPES_MAXIMUM 16
#define OPENAPI_ROUTES_MAXIMUM 128

/* An object of answers that has a name in components/schemas, and its members. */
struct openapi_shape {
	const char *name;
	const struct reply_member *rows;
	size_t count;
};

/* One document under way. */
struct openapi {
	struct json_writer json;
	struct arena *arena;
	const struct settings *settings;
	const struct dialect *dialect;
	const struct route *routes[OPENAPI_ROUTES_MAXIMUM]; /* that are served */
	size_t route_count;
	struct openapi_shape shapes[OPENAPI_SHAPES_MAXIMUM]; /* in the order they are met */
	size_t shape_count;
};

/* What the document says of an operation beside what the route says: generators name functions after
 * the id, so it never changes. */
struct openapi_operation {
	operation *operation;
	const char *id;
	const char *tag;
	enum outcome errors[4]; /* that are its own; OUTCOME_OK ends the list */
};

/* The row of the route's operation; one with a NULL id where there is none, which a test refuses. */
const struct openapi_operation *openapi_operation_of(const struct route *route);

/* "get", "post" and so on, and what stands under it. */
void openapi_write_route(struct openapi *openapi, const struct route *route);

/* The name of a route's request schema, "RegisterRequest"; NULL where it has no body. */
const char *openapi_request_name(struct openapi *openapi, const struct route *route);
void openapi_write_request(struct openapi *openapi, const char *key, const struct route *route);

/* The schema of an answer; objects that have a name are referred to and noted as a shape. */
void openapi_write_reply(
	struct openapi *openapi, const char *key, const struct reply_member *reply);
/* The shapes that were noted, and those that they refer to. */
void openapi_write_shapes(struct openapi *openapi);

/* The one schema of all the dialect's errors. */
void openapi_write_error(struct openapi *openapi, const char *key);

/* {"$ref": "#/components/KIND/NAME"} */
void openapi_write_reference(
	struct openapi *openapi, const char *key, const char *kind, const char *name);

/* {"type": type} */
void openapi_write_type(struct openapi *openapi, const char *key, const char *type);

#endif
