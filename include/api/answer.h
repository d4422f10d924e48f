/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_API_ANSWER_H
#define LATCHKEY_API_ANSWER_H

#include "http/request.h"
#include "http/response.h"
#include "operations/operation.h"

/*
 * Answers any request: chooses the dialect, finds the route, decodes, runs the operation, encodes.
 * Writes a complete response in every case. context->arena, client and network are the request's.
 */
void api_answer(struct context *context, const struct request *request, struct response *response);

#endif
