/* SPDX-License-Identifier: MIT */
/*
 * Read, answer, write: the one room that knows both the web server's side and the service's. It waits
 * for the peer here, and for the database and the hashers inside of api_answer(); other exchanges run
 * meanwhile, so all that a request owns is on the stack or in the arena of its task.
 */
#include "process/exchange.h"

#include "api/answer.h"
#include "http/fcgi.h"

static void answer(struct context *context, const struct request *request, struct fcgi *fcgi)
{
	struct response response;
	context->client = request->client;
	context->network = request->network;
	context->wider_network = request->wider_network;
	response_init(&response, context->arena);
	api_answer(context, request, &response);
	if (!fcgi_write(fcgi, &response))
		log_info(context->log, "answer_lost", "client=%.*s status=%d",
			TEXT_PRINTF(request->client), response.status);
}

bool exchange_serve(void *context, int socket, struct text ahead, const struct waiter *peer)
{
	struct context own = *(const struct context *)context;
	struct arena arena;
	struct request request;
	arena_init(&arena);
	own.arena = &arena;
	struct fcgi *fcgi = fcgi_open(socket, ahead, peer, own.settings, &arena);
	if (fcgi_read(fcgi, &request))
		answer(&own, &request, fcgi);
	bool kept = fcgi_close(fcgi);
	arena_finish(&arena);
	return kept;
}
