/* SPDX-License-Identifier: MIT */
/*
 * From bytes to typed input, by the route's table. What leaves this room has the form that
 * operations count on: each member is there if it must be, is text of the right shape and length,
 * and holds no NUL.
 */
#include "api/decode.h"

#include "base/json.h"

void invalid_add(struct invalid_members *invalid, const char *key, const char *reason)
{
	for (size_t i = 0; i < invalid->count; i++)
		if (text_equal(text_of(invalid->members[i].key), text_of(key)))
			return;
	if (invalid->count == INVALID_MEMBERS_MAXIMUM)
		return;
	invalid->members[invalid->count].key = key;
	invalid->members[invalid->count].reason = reason;
	invalid->count++;
}

static struct text *member_of(struct input *input, const struct input_member *row)
{
	return (struct text *)(void *)((char *)input + row->offset);
}

static bool has_body_members(const struct route *route)
{
	for (const struct input_member *row = route->input; row && row->key; row++)
		if (row->source == SOURCE_BODY && row->required)
			return true;
	return false;
}

/* The body as an object. No body at all is an empty object where nothing in it is required. */
static enum outcome read_body(const struct context *context, const struct request *request,
	const struct route *route, struct json_object *body, struct invalid_members *invalid)
{
	*body = (struct json_object){ 0 };
	switch (request->body_state) {
	case BODY_NONE:
		if (!has_body_members(route))
			return OUTCOME_OK;
		invalid->malformed = "The request has no body";
		return OUTCOME_MALFORMED_JSON;
	case BODY_TOO_LARGE:
		return OUTCOME_BODY_TOO_LARGE;
	case BODY_TRUNCATED:
		invalid->malformed = "The body did not arrive whole";
		return OUTCOME_BAD_REQUEST;
	case BODY_COMPLETE:
		break;
	}
	if (!request_is_json(request))
		return OUTCOME_UNSUPPORTED_MEDIA_TYPE;
	if (!json_read(context->arena, request->body, body, &invalid->malformed))
		return OUTCOME_MALFORMED_JSON;
	return OUTCOME_OK;
}

/* The member under its key or, where that is not there, under its alias. */
static const struct json_member *find_member(
	const struct json_object *body, const struct input_member *row, const char **key)
{
	const struct json_member *member = json_find(body, text_of(row->key));
	*key = row->key;
	if (!member && row->alias) {
		member = json_find(body, text_of(row->alias));
		if (member)
			*key = row->alias;
	}
	return member;
}

static void decode_body_member(const struct context *context, const struct json_object *body,
	const struct input_member *row, struct input *input, struct invalid_members *invalid)
{
	const char *key;
	const struct json_member *member = find_member(body, row, &key);
	if (!member) {
		if (row->required)
			invalid_add(invalid, key, "This field is required.");
	} else if (member->type != JSON_STRING) {
		invalid_add(invalid, key, "This must be a string.");
	} else if (member->value.length == 0) {
		if (row->required)
			invalid_add(invalid, key, "This field may not be blank.");
	} else {
		const char *reason = value_check(context, row->kind, member->value);
		if (reason)
			invalid_add(invalid, key, reason);
		else
			*member_of(input, row) = member->value;
	}
}

enum outcome decode(const struct context *context, const struct request *request,
	const struct route *route, struct text path_token, struct input *input,
	struct invalid_members *invalid)
{
	struct json_object body;
	enum outcome outcome = read_body(context, request, route, &body, invalid);
	if (outcome != OUTCOME_OK)
		return outcome;
	for (const struct input_member *row = route->input; row && row->key; row++) {
		switch (row->source) {
		case SOURCE_BODY:
			decode_body_member(context, &body, row, input, invalid);
			break;
		case SOURCE_PATH:
			*member_of(input, row) = path_token;
			break;
		case SOURCE_COOKIE:
			*member_of(input, row) = request_cookie(request, row->key);
			break;
		}
	}
	return invalid->count > 0 ? OUTCOME_INVALID_INPUT : OUTCOME_OK;
}
