/* SPDX-License-Identifier: MIT */
/* Addresses are 16 octets here: IPv4 is mapped into IPv6 (RFC 4291 section 2.5.5.2), so there is
 * one way to compare them and IPv4 in IPv6's clothes is the same client. */
#include "http/client.h"

#include <arpa/inet.h>
#include <string.h>

struct address {
	unsigned char octets[16];
};

static bool is_ipv4(const struct address *address)
{
	static const unsigned char prefix[12] = { [10] = 0xff, [11] = 0xff };
	return memcmp(address->octets, prefix, sizeof(prefix)) == 0;
}

/* An IPv6 address may name its zone (RFC 4007 section 11), which says nothing about who it is. */
static bool parse(struct text text, struct address *address)
{
	char string[INET6_ADDRSTRLEN];
	size_t zone = text_find(text, '%');
	if (zone + 1 < text.length && text_find(text, ':') < zone)
		text.length = zone;
	if (text.length == 0 || text.length >= sizeof(string))
		return false;
	memcpy(string, text.at, text.length);
	string[text.length] = '\0';
	*address = (struct address){ { [10] = 0xff, [11] = 0xff } };
	return inet_pton(AF_INET, string, address->octets + 12) == 1 ||
	       inet_pton(AF_INET6, string, address->octets) == 1;
}

/* ":80", or nothing. */
static bool is_port(struct text text)
{
	long long port;
	return text.length == 0 || (text.at[0] == ':' && text_integer(text_after(text, 1), &port) &&
					   port >= 0 && port <= 65535);
}

/* Proxies write addresses as 192.0.2.1, 192.0.2.1:80, 2001:db8::1 and [2001:db8::1]:80. */
static bool parse_forwarded(struct text text, struct address *address)
{
	text = text_trim(text);
	size_t end = text_find(text, ']');
	if (text.length > 0 && text.at[0] == '[')
		return end < text.length && is_port(text_after(text, end + 1)) &&
		       parse((struct text){ text.at + 1, end - 1 }, address);
	size_t colon = text_find(text, ':');
	if (colon < text.length && text_find_last(text, ':') == colon) {
		if (!is_port(text_after(text, colon)))
			return false;
		text.length = colon;
	}
	return parse(text, address);
}

static struct text print(struct arena *arena, const struct address *address)
{
	char string[INET6_ADDRSTRLEN];
	if (is_ipv4(address))
		inet_ntop(AF_INET, address->octets + 12, string, sizeof(string));
	else
		inet_ntop(AF_INET6, address->octets, string, sizeof(string));
	return text_format(arena, "%s", string);
}

/* The network of that many octets of the address (16: the address itself). */
static struct text print_network(struct arena *arena, const struct address *address, size_t octets)
{
	struct address network = *address;
	size_t bits = 8 * (is_ipv4(address) ? octets - 12 : octets);
	if (octets == sizeof(network.octets))
		return print(arena, address);
	memset(network.octets + octets, 0, sizeof(network.octets) - octets);
	return text_format(arena, "%.*s/%zu", TEXT_PRINTF(print(arena, &network)), bits);
}

/* "192.0.2.0/24" or "192.0.2.1". */
static bool parse_network(struct text text, struct address *address, unsigned *bits)
{
	size_t slash = text_find(text, '/');
	long long length;
	if (!parse((struct text){ text.at, slash }, address))
		return false;
	unsigned base = text_find(text, ':') == text.length ? 96 : 0;
	*bits = 128;
	if (slash == text.length)
		return true;
	if (!text_integer(text_after(text, slash + 1), &length) || length < 0 ||
		length > 128 - (long long)base)
		return false;
	*bits = base + (unsigned)length;
	return true;
}

static bool is_within(const struct address *address, const struct address *network, unsigned bits)
{
	if (is_ipv4(address) && bits < 96)
		return false; /* a network of IPv6 has no IPv4 in it, ::/0 neither */
	for (unsigned i = 0; i < 16; i++) {
		unsigned here = bits >= 8 * (i + 1) ? 8 : bits > 8 * i ? bits - 8 * i : 0;
		unsigned mask = 0xff00U >> here & 0xff;
		if ((address->octets[i] ^ network->octets[i]) & mask)
			return false;
	}
	return true;
}

static bool is_trusted(const struct address *address, const char *trusted_proxies)
{
	struct text rest = text_of(trusted_proxies);
	struct text entry;
	struct address network;
	unsigned bits;
	while (text_next(&rest, ' ', &entry))
		if (entry.length > 0 && parse_network(entry, &network, &bits) &&
			is_within(address, &network, bits))
			return true;
	return false;
}

bool client_is_trusted(struct text remote_address, const char *trusted_proxies)
{
	struct address address;
	return parse(remote_address, &address) && is_trusted(&address, trusted_proxies);
}

void client_of(struct arena *arena, struct text remote_address, struct text forwarded_for,
	const char *trusted_proxies, struct text *client, struct text *network,
	struct text *wider_network)
{
	struct address address;
	struct address before;
	if (!parse(remote_address, &address)) {
		*client = TEXT("unknown");
		*network = TEXT("unknown");
		*wider_network = TEXT("unknown");
		return;
	}
	/* from the nearest hop outwards, as long as those who tell are trusted */
	while (forwarded_for.length > 0 && is_trusted(&address, trusted_proxies)) {
		size_t comma = text_find_last(forwarded_for, ',');
		bool first = comma == forwarded_for.length;
		struct text hop = first ? forwarded_for : text_after(forwarded_for, comma + 1);
		if (!parse_forwarded(hop, &before))
			break;
		address = before;
		forwarded_for.length = first ? 0 : comma;
	}
	*client = print(arena, &address);
	/* A household or machine gets a /64 of IPv6, a site or customer of a provider a /48. */
	*network = print_network(arena, &address, is_ipv4(&address) ? 16 : 8);
	*wider_network = print_network(arena, &address, is_ipv4(&address) ? 15 : 6);
}

const char *client_check(const char *trusted_proxies, struct arena *arena)
{
	struct text rest = text_of(trusted_proxies);
	struct text entry;
	struct address network;
	unsigned bits;
	while (text_next(&rest, ' ', &entry))
		if (entry.length > 0 && !parse_network(entry, &network, &bits))
			return arena_format(arena,
				"http.trusted_proxies: %.*s is neither an address nor a network "
				"such as 10.0.0.0/8",
				TEXT_PRINTF(entry));
	return NULL;
}
