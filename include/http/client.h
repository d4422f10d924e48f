/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_HTTP_CLIENT_H
#define LATCHKEY_HTTP_CLIENT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/text.h"

/*
 * Who the client is: remote_address (REMOTE_ADDR), or, where that is a trusted proxy, the last
 * address in forwarded_for (X-Forwarded-For) that is none. What cannot be read as an address is
 * not believed. Writes the address, and the networks that limits count by, all in the arena: the
 * network is the address itself for IPv4 (and IPv4 in IPv6), its /64 for IPv6; the wider network
 * is the /24 or the /48.
 */
void client_of(struct arena *arena, struct text remote_address, struct text forwarded_for,
	const char *trusted_proxies, struct text *client, struct text *network,
	struct text *wider_network);

/* Whether the web server's peer is one of the trusted proxies. */
bool client_is_trusted(struct text remote_address, const char *trusted_proxies);

/* NULL, or which part of http.trusted_proxies is neither an address nor a network. */
__attribute__((warn_unused_result)) const char *client_check(
	const char *trusted_proxies, struct arena *arena);

#endif
