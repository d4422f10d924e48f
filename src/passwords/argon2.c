/* SPDX-License-Identifier: MIT */
/*
 * Argon2id (RFC 9106), and the PHC string form that says how a hash was made. The form is read
 * here, not by the library, so that what a stored string may cost is decided before it is paid.
 */
#include "passwords/argon2.h"

#include <string.h>

#include "base/secret.h"

#define SALT_SIZE 16
#define HASH_SIZE 32
#define MEMORY_MAXIMUM (1024U * 1024) /* KiB */
#define PASSES_MAXIMUM 16
#define LANES_MAXIMUM 8
#define OCTETS_MAXIMUM 64

/* A PHC string taken apart, and as what it is to take as long. */
struct phc {
	struct password_cost cost;
	struct password_cost pace;
	uint32_t lanes;
	unsigned char salt[OCTETS_MAXIMUM];
	size_t salt_size;
	unsigned char hash[OCTETS_MAXIMUM];
	size_t hash_size;
};

static enum hash_result compute(const struct phc *phc, const struct hash_door *door,
	struct text password, unsigned char *hash)
{
	const struct hash_order order = {
		.memory = phc->cost.memory,
		.passes = phc->cost.passes,
		.lanes = phc->lanes,
		.password = password,
		.salt = phc->salt,
		.salt_size = phc->salt_size,
		.hash_size = phc->hash_size,
		.pace_memory = phc->pace.memory,
		.pace_passes = phc->pace.passes,
	};
	return door->compute(door->context, &order, hash);
}

/* Base64 of the PHC form: the usual alphabet, no padding. */
static struct text encode(struct arena *arena, const unsigned char *octets, size_t size)
{
	struct text encoded = base64url_encode(arena, octets, size);
	char *at = arena_copy(arena, encoded.at, encoded.length);
	for (size_t i = 0; i < encoded.length; i++)
		at[i] = at[i] == '-' ? '+' : at[i] == '_' ? '/' : at[i];
	return (struct text){ at, encoded.length };
}

static bool decode(struct arena *arena, struct text encoded, size_t minimum,
	unsigned char octets[OCTETS_MAXIMUM], size_t *size)
{
	char *at = arena_copy(arena, encoded.at, encoded.length);
	for (size_t i = 0; i < encoded.length; i++) {
		if (at[i] == '-' || at[i] == '_')
			return false;
		at[i] = at[i] == '+' ? '-' : at[i] == '/' ? '_' : at[i];
	}
	struct text decoded;
	if (!base64url_decode(arena, (struct text){ at, encoded.length }, &decoded) ||
		decoded.length < minimum || decoded.length > OCTETS_MAXIMUM)
		return false;
	memcpy(octets, decoded.at, decoded.length);
	*size = decoded.length;
	return true;
}

/* "m=19456" and the like, in its one spelling. */
static bool parameter(struct text text, char name, uint32_t maximum, uint32_t *value)
{
	long long parsed;
	if (text.length < 3 || text.at[0] != name || text.at[1] != '=' || text.at[2] == '0' ||
		!text_integer(text_after(text, 2), &parsed) || parsed < 1 || parsed > maximum)
		return false;
	*value = (uint32_t)parsed;
	return true;
}

static bool parse(struct arena *arena, struct text string, struct phc *phc)
{
	struct text parts[6];
	struct text costs[3];
	phc->pace = (struct password_cost){ 0 };
	size_t count = 0;
	while (count < 6 && text_next(&string, '$', &parts[count]))
		count++;
	if (count != 6 || text_is_given(string) || parts[0].length > 0 ||
		!text_equal(parts[1], TEXT("argon2id")) || !text_equal(parts[2], TEXT("v=19")))
		return false;
	for (count = 0; count < 3 && text_next(&parts[3], ',', &costs[count]);)
		count++;
	return count == 3 && !text_is_given(parts[3]) &&
	       parameter(costs[0], 'm', MEMORY_MAXIMUM, &phc->cost.memory) &&
	       parameter(costs[1], 't', PASSES_MAXIMUM, &phc->cost.passes) &&
	       parameter(costs[2], 'p', LANES_MAXIMUM, &phc->lanes) &&
	       decode(arena, parts[4], 8, phc->salt, &phc->salt_size) &&
	       decode(arena, parts[5], 16, phc->hash, &phc->hash_size);
}

static struct text print(struct arena *arena, const struct phc *phc)
{
	struct text salt = encode(arena, phc->salt, phc->salt_size);
	struct text hash = encode(arena, phc->hash, phc->hash_size);
	return text_format(arena, "$argon2id$v=19$m=%u,t=%u,p=%u$%.*s$%.*s", phc->cost.memory,
		phc->cost.passes, phc->lanes, TEXT_PRINTF(salt), TEXT_PRINTF(hash));
}

static struct phc with_salt(struct password_cost cost)
{
	struct phc phc = {
		.cost = cost, .lanes = 1, .salt_size = SALT_SIZE, .hash_size = HASH_SIZE
	};
	secret_random(phc.salt, SALT_SIZE);
	return phc;
}

enum hash_result password_hash(struct arena *arena, const struct hash_door *door,
	struct password_cost cost, struct text password, struct text *string)
{
	/* what could not be verified would lock its owner out */
	if (cost.memory > MEMORY_MAXIMUM || cost.passes > PASSES_MAXIMUM)
		return HASH_FAILED;
	struct phc phc = with_salt(cost);
	enum hash_result result = compute(&phc, door, password, phc.hash);
	if (result == HASH_DONE)
		*string = print(arena, &phc);
	secret_cleanse(&phc, sizeof(phc));
	return result;
}

enum password_match password_verify(struct arena *arena, const struct hash_door *door,
	struct password_cost cost, struct text string, struct text password)
{
	struct phc phc;
	unsigned char hash[OCTETS_MAXIMUM];
	enum hash_result result = HASH_FAILED;
	if (parse(arena, string, &phc)) {
		phc.pace = cost;
		result = compute(&phc, door, password, hash);
	}
	if (result != HASH_DONE)
		return result == HASH_BUSY ? PASSWORD_BUSY : PASSWORD_UNREADABLE;
	bool matches = secret_equal(hash, phc.hash, phc.hash_size);
	secret_cleanse(hash, sizeof(hash));
	secret_cleanse(&phc, sizeof(phc));
	return matches ? PASSWORD_MATCHES : PASSWORD_DIFFERS;
}

bool password_is_outdated(struct arena *arena, struct text string, struct password_cost cost)
{
	struct phc phc;
	return !parse(arena, string, &phc) || phc.cost.memory != cost.memory ||
	       phc.cost.passes != cost.passes || phc.lanes != 1;
}

struct text password_decoy(struct arena *arena, struct password_cost cost)
{
	struct phc phc = with_salt(cost);
	secret_random(phc.hash, HASH_SIZE);
	return print(arena, &phc);
}
