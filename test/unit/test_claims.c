/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "tokens/claims_cache.h"

#define ISSUER "https://accounts.example.com"
#define AUDIENCE "https://shop.example.com"
#define NOW 1767225600 /* 2026-01-01T00:00:00Z */
#define SKEW 60

#define SUB "0190d6b4-5a5e-7cc0-8a3b-1f2e3d4c5b6a"
#define SID "0190d6b4-5a5e-7cc0-8a3b-000000000001"
#define JTI "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
#define ACCESS                                                                                     \
	"{\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE "\",\"client_id\":\"shop\",\"sub\":\"" SUB   \
	"\",\"sid\":\"" SID "\",\"jti\":\"" JTI "\",\"iat\":1767225600,\"exp\":1767226500}"
#define REFRESH                                                                                    \
	"{\"iss\":\"" ISSUER "\",\"sub\":\"" SUB "\",\"sid\":\"" SID                               \
	"\",\"gen\":7,\"iat\":1767225600,\"exp\":1769817600}"

static const struct settings settings = {
	.tokens_issuer = ISSUER, .tokens_audience = AUDIENCE, .tokens_client_id = "shop"
};

struct fixture {
	struct arena arena;
	struct signing_key keys[2];
	struct keyring keyring;
	struct access_claims access;
	struct refresh_claims refresh;
};

static struct uuid uuid(const char *string)
{
	struct uuid uuid = { { 0 } };
	assert_true(uuid_parse(text_of(string), &uuid));
	return uuid;
}

static int set_up(void **state)
{
	static struct fixture fixture;
	fixture = (struct fixture){
		.keys = {
			{ .algorithm = ALGORITHM_HS256, .kid = TEXT("old"), .secret = { 1 },
				.secret_size = 32, .refresh = { 2 } },
			{ .algorithm = ALGORITHM_HS256, .kid = TEXT("new"), .secret = { 3 },
				.secret_size = 32, .refresh = { 4 } },
		},
		.keyring = { .keys = fixture.keys, .count = 2, .current = &fixture.keys[1] },
		.access = { uuid(SUB), uuid(SID), uuid(JTI), NOW, NOW + 900 },
		.refresh = { uuid(SUB), uuid(SID), 7, NOW, NOW + 2592000 },
	};
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	arena_finish(&fixture->arena);
	return 0;
}

static struct text access_token(struct fixture *fixture)
{
	struct text token = TEXT_NONE;
	assert_true(access_token_issue(
		&fixture->arena, &fixture->keyring, &settings, &fixture->access, &token));
	return token;
}

static struct text refresh_token(struct fixture *fixture)
{
	struct text token = TEXT_NONE;
	assert_true(refresh_token_issue(
		&fixture->arena, &fixture->keyring, &settings, &fixture->refresh, &token));
	return token;
}

static bool access_reads(struct fixture *fixture, int64_t now, struct text token)
{
	struct access_claims claims;
	return access_token_read(
		&fixture->arena, &fixture->keyring, &settings, now, token, &claims);
}

static bool refresh_reads(struct fixture *fixture, int64_t now, struct text token)
{
	struct refresh_claims claims;
	return refresh_token_read(
		&fixture->arena, &fixture->keyring, &settings, now, token, &claims);
}

/* A token of either kind that says something else, signed as the service signs. */
static struct text access_saying(struct fixture *fixture, const char *payload)
{
	struct text token = TEXT_NONE;
	assert_true(jws_sign(
		&fixture->arena, fixture->keyring.current, "at+jwt", text_of(payload), &token));
	return token;
}

static struct text refresh_saying(struct fixture *fixture, const char *payload)
{
	struct text token = TEXT_NONE;
	assert_true(jws_sign_refresh(
		&fixture->arena, fixture->keyring.current, "rt+jwt", text_of(payload), &token));
	return token;
}

static void payload_is(struct fixture *fixture, struct text token, const char *expected)
{
	struct text payload;
	token = text_after(token, text_find(token, '.') + 1);
	token.length = text_find(token, '.');
	assert_true(base64url_decode(&fixture->arena, token, &payload));
	assert_string_equal(text_string(&fixture->arena, payload), expected);
}

static void an_access_token_says_what_went_in(void **state)
{
	struct fixture *fixture = *state;
	struct access_claims claims;
	struct text token = access_token(fixture);
	payload_is(fixture, token, ACCESS);
	assert_true(access_token_read(
		&fixture->arena, &fixture->keyring, &settings, NOW, token, &claims));
	assert_memory_equal(&claims, &fixture->access, sizeof(claims));
}

static void a_refresh_token_says_what_went_in(void **state)
{
	struct fixture *fixture = *state;
	struct refresh_claims claims;
	struct text token = refresh_token(fixture);
	payload_is(fixture, token, REFRESH);
	assert_true(refresh_token_read(
		&fixture->arena, &fixture->keyring, &settings, NOW, token, &claims));
	assert_memory_equal(&claims, &fixture->refresh, sizeof(claims));
}

static void the_type_is_in_the_header(void **state)
{
	struct fixture *fixture = *state;
	struct text token = access_token(fixture);
	struct text header;
	token.length = text_find(token, '.');
	assert_true(base64url_decode(&fixture->arena, token, &header));
	assert_true(
		text_equal(header, TEXT("{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"new\"}")));
	token = refresh_token(fixture);
	token.length = text_find(token, '.');
	assert_true(base64url_decode(&fixture->arena, token, &header));
	assert_true(
		text_equal(header, TEXT("{\"alg\":\"HS256\",\"typ\":\"rt+jwt\",\"kid\":\"new\"}")));
}

static void one_generation_is_one_token(void **state)
{
	struct fixture *fixture = *state;
	struct text first = refresh_token(fixture);
	assert_true(text_equal(first, refresh_token(fixture)));
	fixture->refresh.generation++;
	assert_false(text_equal(first, refresh_token(fixture)));
	fixture->refresh.generation--;
	fixture->refresh.session.octets[15] ^= 1;
	assert_false(text_equal(first, refresh_token(fixture)));
}

static void the_key_before_still_reads(void **state)
{
	struct fixture *fixture = *state;
	fixture->keyring.current = &fixture->keys[0];
	struct text access = access_token(fixture);
	struct text refresh = refresh_token(fixture);
	fixture->keyring.current = &fixture->keys[1];
	assert_true(access_reads(fixture, NOW, access));
	assert_true(refresh_reads(fixture, NOW, refresh));
}

static void times_are_held_to_the_second(void **state)
{
	static const struct {
		int64_t now;
		bool access;
		bool refresh;
	} rows[] = {
		{ NOW, true, true },
		{ NOW + 899, true, true },
		{ NOW + 900, false, true },
		{ NOW + 901, false, true },
		{ NOW + 2591999, false, true },
		{ NOW + 2592000, false, false },
		{ NOW - SKEW, true, true },
		{ NOW - SKEW - 1, false, false },
		{ 0, false, false },
	};
	struct fixture *fixture = *state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
			access_reads(fixture, rows[i].now, access_token(fixture)), rows[i].access);
		assert_int_equal(refresh_reads(fixture, rows[i].now, refresh_token(fixture)),
			rows[i].refresh);
	}
}

static void another_issuer_is_refused(void **state)
{
	static const char *const others[] = { "", "https://accounts.example.co", ISSUER "/",
		"https://Accounts.example.com", "http://accounts.example.com", AUDIENCE };
	struct fixture *fixture = *state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct settings other = settings;
		struct access_claims access;
		struct refresh_claims refresh;
		other.tokens_issuer = others[i];
		assert_false(access_token_read(&fixture->arena, &fixture->keyring, &other, NOW,
			access_token(fixture), &access));
		assert_false(refresh_token_read(&fixture->arena, &fixture->keyring, &other, NOW,
			refresh_token(fixture), &refresh));
	}
}

/* RFC 9068 section 4. Nobody but the service reads a refresh token: it has no audience. */
static void another_audience_is_refused(void **state)
{
	static const char *const others[] = { "", AUDIENCE "/", "https://shop.example.co", ISSUER };
	struct fixture *fixture = *state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct settings other = settings;
		struct access_claims access;
		struct refresh_claims refresh;
		other.tokens_audience = others[i];
		assert_false(access_token_read(&fixture->arena, &fixture->keyring, &other, NOW,
			access_token(fixture), &access));
		assert_true(refresh_token_read(&fixture->arena, &fixture->keyring, &other, NOW,
			refresh_token(fixture), &refresh));
	}
}

static void one_kind_does_not_pass_for_the_other(void **state)
{
	struct fixture *fixture = *state;
	/* all members of both, so that nothing but the type and the key can tell them apart */
	static const char both[] =
		"{\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE "\",\"sub\":\"" SUB
		"\",\"sid\":\"" SID "\",\"jti\":\"" JTI "\",\"gen\":7,\"iat\":1767225600,"
		"\"exp\":1767226500}";
	struct text access = access_saying(fixture, both);
	struct text refresh = refresh_saying(fixture, both);
	assert_true(access_reads(fixture, NOW, access));
	assert_true(refresh_reads(fixture, NOW, refresh));
	assert_false(access_reads(fixture, NOW, refresh));
	assert_false(refresh_reads(fixture, NOW, access));
}

/* The right key with the other's type, and the other way round. */
static void type_and_key_are_both_held(void **state)
{
	struct fixture *fixture = *state;
	const struct signing_key *key = fixture->keyring.current;
	struct text token = TEXT_NONE;
	assert_true(jws_sign(&fixture->arena, key, "rt+jwt", TEXT(ACCESS), &token));
	assert_false(access_reads(fixture, NOW, token));
	assert_true(jws_sign_refresh(&fixture->arena, key, "at+jwt", TEXT(ACCESS), &token));
	assert_false(access_reads(fixture, NOW, token));
	assert_true(jws_sign_refresh(&fixture->arena, key, "at+jwt", TEXT(REFRESH), &token));
	assert_false(refresh_reads(fixture, NOW, token));
	assert_true(jws_sign(&fixture->arena, key, "rt+jwt", TEXT(REFRESH), &token));
	assert_false(refresh_reads(fixture, NOW, token));
}

/* The payload with its one `from` made `to`. */
static const char *changed(
	struct fixture *fixture, const char *payload, const char *from, const char *to)
{
	const char *at = strstr(payload, from);
	assert_non_null(at);
	return arena_format(
		&fixture->arena, "%.*s%s%s", (int)(at - payload), payload, to, at + strlen(from));
}

/* What is done to a payload, and why it must not pass. */
static const struct change {
	const char *from;
	const char *to;
} changes[] = {
	/* members that are not there */
	{ "\"iss\":", "\"isx\":" },
	{ "\"sub\":", "\"sux\":" },
	{ "\"sid\":", "\"six\":" },
	{ "\"iat\":", "\"iax\":" },
	{ "\"exp\":", "\"exx\":" },
	/* of other types */
	{ "\"" ISSUER "\"", "[\"" ISSUER "\"]" },
	{ "\"" ISSUER "\"", "null" },
	{ "\"" SUB "\"", "7" },
	{ "\"" SUB "\"", "[\"" SUB "\"]" },
	{ "\"" SID "\"", "null" },
	{ "\"iat\":1767225600", "\"iat\":\"1767225600\"" },
	{ "\"iat\":1767225600", "\"iat\":[1767225600]" },
	{ "\"iat\":1767225600", "\"iat\":1.767e9" },
	{ "\"exp\":", "\"exp\":9999999999.5,\"was\":" },
	{ "\"exp\":", "\"exp\":\"9999999999\",\"was\":" },
	{ "\"exp\":", "\"exp\":true,\"was\":" },
	/* of the right type, with another value */
	{ SUB, "somebody" },
	{ SUB, "" },
	{ SID, SID "0" },
	{ "\"exp\":", "\"exp\":0,\"was\":" },
	{ "\"exp\":", "\"exp\":-9999999999,\"was\":" },
	{ "\"exp\":", "\"exp\":99999999999999999999,\"was\":" },
	{ "\"iat\":1767225600", "\"iat\":9223372036854775807" },
	{ ISSUER, ISSUER "\\u0000" },
	/* with two readings */
	{ "\"sub\":", "\"sub\":\"" SID "\",\"sub\":" },
	{ "\"exp\":", "\"exp\":9999999999,\"exp\":" },
	/* not yet valid */
	{ "\"exp\":", "\"nbf\":1767225601,\"exp\":" },
	{ "\"exp\":", "\"nbf\":9223372036854775807,\"exp\":" },
	{ "\"exp\":", "\"nbf\":\"0\",\"exp\":" },
	{ "\"exp\":", "\"nbf\":null,\"exp\":" },
	{ "\"exp\":", "\"nbf\":0,\"nbf\":1767225601,\"exp\":" },
	/* that are no object */
	{ "{", "[" },
	{ "}", "" },
	{ "}", "}{}" },
};

static void access_payloads_that_are_not_right_are_refused(void **state)
{
	struct fixture *fixture = *state;
	assert_true(access_reads(fixture, NOW, access_saying(fixture, ACCESS)));
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		const char *payload = changed(fixture, ACCESS, changes[i].from, changes[i].to);
		if (access_reads(fixture, NOW, access_saying(fixture, payload)))
			fail_msg("taken: %s", payload);
	}
	static const struct change own[] = {
		{ "\"jti\":\"" JTI "\"", "\"x\":\"" JTI "\"" },
		{ "\"jti\":\"" JTI "\"", "\"jti\":7" },
		{ "\"jti\":\"" JTI "\"", "\"jti\":\"\"" },
		{ "\"aud\":\"" AUDIENCE "\",", "" },
		{ "\"" AUDIENCE "\"", "null" },
		{ "\"" AUDIENCE "\"", "[]" },
		{ "\"" AUDIENCE "\"", "[\"" AUDIENCE "\",\"x\"]" },
		{ "\"aud\":", "\"aud\":\"x\",\"aud\":" },
		{ AUDIENCE, AUDIENCE "\\u0000" },
	};
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		const char *payload = changed(fixture, ACCESS, own[i].from, own[i].to);
		assert_false(access_reads(fixture, NOW, access_saying(fixture, payload)));
	}
}

static void refresh_payloads_that_are_not_right_are_refused(void **state)
{
	struct fixture *fixture = *state;
	assert_true(refresh_reads(fixture, NOW, refresh_saying(fixture, REFRESH)));
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		const char *payload = changed(fixture, REFRESH, changes[i].from, changes[i].to);
		if (refresh_reads(fixture, NOW, refresh_saying(fixture, payload)))
			fail_msg("taken: %s", payload);
	}
	static const char *const generations[] = { "\"x\":7", "\"gen\":\"7\"", "\"gen\":7.0",
		"\"gen\":null" };
	for (size_t i = 0; i < sizeof(generations) / sizeof(generations[0]); i++) {
		const char *payload = changed(fixture, REFRESH, "\"gen\":7", generations[i]);
		assert_false(refresh_reads(fixture, NOW, refresh_saying(fixture, payload)));
	}
}

/* RFC 7519 section 4: what is not understood is ignored. */
static void more_members_do_no_harm(void **state)
{
	struct fixture *fixture = *state;
	const char *payload = changed(fixture, ACCESS, "{", "{\"azp\":[\"a\",\"b\"],\"x\":{},");
	assert_true(access_reads(fixture, NOW, access_saying(fixture, payload)));
	payload = changed(fixture, REFRESH, "{", "{\"aud\":[\"a\",\"b\"],\"x\":{},");
	assert_true(refresh_reads(fixture, NOW, refresh_saying(fixture, payload)));
}

/* RFC 7519 section 4.1.5: from that second on. */
static void nbf_is_held_to_the_second(void **state)
{
	struct fixture *fixture = *state;
	const char *nbf = "\"nbf\":1767225700,\"exp\":";
	struct text access = access_saying(fixture, changed(fixture, ACCESS, "\"exp\":", nbf));
	struct text refresh = refresh_saying(fixture, changed(fixture, REFRESH, "\"exp\":", nbf));
	assert_false(access_reads(fixture, NOW + 99, access));
	assert_false(refresh_reads(fixture, NOW + 99, refresh));
	assert_true(access_reads(fixture, NOW + 100, access));
	assert_true(refresh_reads(fixture, NOW + 100, refresh));
}

static void claims_are_written_on_success_only(void **state)
{
	struct fixture *fixture = *state;
	struct access_claims access;
	struct refresh_claims refresh;
	struct access_claims access_before;
	struct refresh_claims refresh_before;
	memset(&access, 0x55, sizeof(access));
	memset(&refresh, 0x55, sizeof(refresh));
	memcpy(&access_before, &access, sizeof(access));
	memcpy(&refresh_before, &refresh, sizeof(refresh));
	assert_false(access_token_read(&fixture->arena, &fixture->keyring, &settings, NOW + 900,
		access_token(fixture), &access));
	assert_false(refresh_token_read(&fixture->arena, &fixture->keyring, &settings, NOW,
		refresh_saying(fixture, changed(fixture, REFRESH, "\"gen\"", "\"x\"")), &refresh));
	assert_memory_equal(&access, &access_before, sizeof(access));
	assert_memory_equal(&refresh, &refresh_before, sizeof(refresh));
}

static void a_known_token_says_the_same_until_it_expires(void **state)
{
	struct fixture *fixture = *state;
	struct claims_cache *cache = claims_cache_open();
	struct text token = access_token(fixture);
	for (int64_t now = NOW; now < NOW + 1000; now += 100) {
		struct access_claims claims;
		memset(&claims, 0x55, sizeof(claims));
		assert_int_equal(claims_cache_read(cache, &fixture->arena, &fixture->keyring,
					 &settings, now, token, &claims),
			now < NOW + 900);
		if (now < NOW + 900)
			assert_memory_equal(&claims, &fixture->access, sizeof(claims));
	}
	claims_cache_close(cache);
}

/* Each octet counts, of the signature too, though a token like it is known. */
static void what_is_like_a_known_token_is_not_known(void **state)
{
	struct fixture *fixture = *state;
	struct claims_cache *cache = claims_cache_open();
	struct access_claims claims;
	struct text token = access_token(fixture);
	char *other = text_string(&fixture->arena, token);
	assert_true(claims_cache_read(
		cache, &fixture->arena, &fixture->keyring, &settings, NOW, token, &claims));
	for (size_t i = 0; i < token.length; i++) {
		char before = other[i];
		other[i] = before == 'A' ? 'B' : 'A';
		/* the last character has bits that say nothing: that is another spelling, and refused */
		assert_false(claims_cache_read(cache, &fixture->arena, &fixture->keyring, &settings,
			NOW, (struct text){ other, token.length }, &claims));
		other[i] = before;
	}
	assert_false(claims_cache_read(cache, &fixture->arena, &fixture->keyring, &settings, NOW,
		(struct text){ token.at, token.length - 1 }, &claims));
	assert_false(claims_cache_read(
		cache, &fixture->arena, &fixture->keyring, &settings, NOW, TEXT_NONE, &claims));
	claims_cache_close(cache);
}

/* More than there are places: whoever is pushed out is read anew. */
static void many_tokens_do_not_get_in_each_others_way(void **state)
{
	enum { COUNT = 6000 };
	struct fixture *fixture = *state;
	struct claims_cache *cache = claims_cache_open();
	static struct text tokens[COUNT];
	for (int i = 0; i < COUNT; i++) {
		memcpy(fixture->access.token.octets, &i, sizeof(i));
		tokens[i] = access_token(fixture);
	}
	for (int i = 0; i < 2 * COUNT; i++) {
		struct access_claims claims;
		int said;
		assert_true(claims_cache_read(cache, &fixture->arena, &fixture->keyring, &settings,
			NOW, tokens[i % COUNT], &claims));
		memcpy(&said, claims.token.octets, sizeof(said));
		assert_int_equal(said, i % COUNT);
	}
	claims_cache_close(cache);
}

static void no_token_is_no_claim(void **state)
{
	struct fixture *fixture = *state;
	assert_false(access_reads(fixture, NOW, TEXT_NONE));
	assert_false(access_reads(fixture, NOW, TEXT("")));
	assert_false(refresh_reads(fixture, NOW, TEXT_NONE));
	assert_false(refresh_reads(fixture, NOW, TEXT("")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_access_token_says_what_went_in),
		TEST(a_refresh_token_says_what_went_in),
		TEST(the_type_is_in_the_header),
		TEST(one_generation_is_one_token),
		TEST(the_key_before_still_reads),
		TEST(times_are_held_to_the_second),
		TEST(another_issuer_is_refused),
		TEST(another_audience_is_refused),
		TEST(one_kind_does_not_pass_for_the_other),
		TEST(type_and_key_are_both_held),
		TEST(access_payloads_that_are_not_right_are_refused),
		TEST(refresh_payloads_that_are_not_right_are_refused),
		TEST(more_members_do_no_harm),
		TEST(nbf_is_held_to_the_second),
		TEST(claims_are_written_on_success_only),
		TEST(a_known_token_says_the_same_until_it_expires),
		TEST(what_is_like_a_known_token_is_not_known),
		TEST(many_tokens_do_not_get_in_each_others_way),
		TEST(no_token_is_no_claim),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
