/* SPDX-License-Identifier: MIT */
/*
 * The way of a request, from the path to the answer. What is cheap and needs no trust comes first:
 * path, method, size, other sites, the signature of the access token; then the body; then the
 * operation, which is the first to ask the database.
 */
#include "api/answer.h"

#include <string.h>

#include "api/decode.h"
#include "api/dialect.h"
#include "api/encode.h"
#include "api/router.h"
#include "http/origin.h"
#include "operations/session.h"

/* One request under way. */
struct exchange {
	struct context *context;
	const struct request *request;
	const struct dialect *dialect;
	const struct route *route;
	struct input input;
	struct output output;
	struct invalid_members invalid;
};

/* The dialect of the location. What cannot be answered in any is told in the standard one. */
static enum outcome choose_dialect(struct exchange *exchange)
{
	const struct log *log = exchange->context->log;
	const struct request *request = exchange->request;
	const struct dialect *named = dialect_find(request->dialect);
	exchange->dialect =
		named ? named : dialect_find(text_of(exchange->context->settings->api_dialect));
	if (request->unreadable) {
		log_info(log, "unreadable_request", "client=%.*s %s", TEXT_PRINTF(request->client),
			request->unreadable);
		exchange->invalid.malformed = request->unreadable;
		return OUTCOME_BAD_REQUEST;
	}
	if (named || request->dialect.length == 0)
		return OUTCOME_OK;
	log_error(log, "unknown_dialect", "LATCHKEY_DIALECT=%.*s", TEXT_PRINTF(request->dialect));
	return OUTCOME_UNKNOWN_DIALECT;
}

/* What the route and the settings say about the operation's freedom. */
static void prepare_input(struct exchange *exchange)
{
	const struct settings *settings = exchange->context->settings;
	const struct route *route = exchange->route;
	struct input *input = &exchange->input;
	input->either_token = route->flags & ROUTE_EITHER_TOKEN;
	input->opens_session = route->flags & ROUTE_OPENS_SESSION;
	input->reveals_existence = route_reveals_existence(route, settings);
	input->rotates = settings->sessions_rotate == ROTATE_ALWAYS ||
			 (settings->sessions_rotate == ROTATE_AUTO && exchange->dialect->rotates);
}

/* An operation tells of a wrong member by its place in struct input; the client knows its key. */
static void name_invalid_member(struct exchange *exchange)
{
	const struct input_member *row = exchange->route->input;
	for (; exchange->output.invalid_reason && row && row->key; row++)
		if (row->offset == exchange->output.invalid_member)
			invalid_add(&exchange->invalid, row->key, exchange->output.invalid_reason);
}

static enum outcome serve(struct exchange *exchange, struct text path_token)
{
	const struct request *request = exchange->request;
	const struct route *route = exchange->route;
	if (request->body_state == BODY_TOO_LARGE)
		return OUTCOME_BODY_TOO_LARGE;
	if ((route->flags & ROUTE_READS_COOKIE) &&
		origin_is_cross_site(exchange->context->settings, request))
		return OUTCOME_CROSS_SITE;
	prepare_input(exchange);
	if ((route->flags & (ROUTE_PROTECTED | ROUTE_EITHER_TOKEN)) &&
		!caller_read(exchange->context, request->bearer, &exchange->input) &&
		(route->flags & ROUTE_PROTECTED))
		return OUTCOME_UNAUTHORIZED;
	enum outcome outcome = decode(exchange->context, request, route, path_token,
		&exchange->input, &exchange->invalid);
	bool head = request->method == METHOD_HEAD && route->head;
	operation *wanted = head ? route->head : route->operation;
	if (outcome == OUTCOME_OK && wanted)
		outcome = wanted(exchange->context, &exchange->input, &exchange->output);
	name_invalid_member(exchange);
	return outcome;
}

static void add_cookie(
	const struct exchange *exchange, enum outcome outcome, struct response *response)
{
	const struct settings *settings = exchange->context->settings;
	const struct output *output = &exchange->output;
	unsigned flags = exchange->route->flags;
	bool refused = (outcome == OUTCOME_INVALID_TOKEN && (flags & ROUTE_READS_COOKIE)) ||
		       (outcome == OUTCOME_UNAUTHORIZED && (flags & ROUTE_CLEARS_COOKIE));
	if (!exchange->dialect->refresh_cookie)
		return;
	if (outcome == OUTCOME_OK && (flags & ROUTE_SETS_COOKIE) &&
		text_is_given(output->refresh_token))
		encode_cookie(settings, exchange->dialect, exchange->request, output->refresh_token,
			output->refresh_token_lifetime, response);
	else if (refused || (outcome == OUTCOME_OK && (flags & ROUTE_CLEARS_COOKIE)))
		encode_cookie(
			settings, exchange->dialect, exchange->request, TEXT_NONE, 0, response);
}

/* OPTIONS, for CORS and for the curious: answered for every path that there is. */
static void answer_options(
	const struct exchange *exchange, const struct match *match, struct response *response)
{
	response->status = 204;
	response_header(response, "Allow", "%s", match->allow);
	origin_headers(exchange->context->settings, exchange->request, match->allow, response);
}

static void answer_in_dialect(struct exchange *exchange, struct response *response)
{
	const struct request *request = exchange->request;
	struct match match = route_find(exchange->dialect, request->method, request->path);
	if (match.known && request->method == METHOD_OPTIONS) {
		answer_options(exchange, &match, response);
		return;
	}
	enum outcome outcome = match.known ? OUTCOME_METHOD_NOT_ALLOWED : OUTCOME_NOT_FOUND;
	exchange->route = match.route;
	if (match.route)
		outcome = serve(exchange, match.token);
	else if (match.known)
		response_header(response, "Allow", "%s", match.allow);

	if (outcome == OUTCOME_OK && !encode_reply(exchange->context->settings, exchange->dialect,
					     match.route, &exchange->output, response)) {
		log_error(exchange->context->log, "reply_not_utf8", "route=%s", match.route->path);
		outcome = OUTCOME_INTERNAL_ERROR;
	}
	if (outcome != OUTCOME_OK)
		encode_error(exchange->dialect, match.route, outcome, &exchange->output,
			&exchange->invalid, request, response);
	if (match.route)
		add_cookie(exchange, outcome, response);
	origin_headers(exchange->context->settings, request, NULL, response);
}

void api_answer(struct context *context, const struct request *request, struct response *response)
{
	struct exchange exchange = { .context = context, .request = request };
	enum outcome outcome = choose_dialect(&exchange);
	response->without_body = request->method == METHOD_HEAD;
	if (outcome == OUTCOME_OK) {
		answer_in_dialect(&exchange, response);
		return;
	}
	encode_error(exchange.dialect, NULL, outcome, &exchange.output, &exchange.invalid, request,
		response);
	origin_headers(context->settings, request, NULL, response);
}
