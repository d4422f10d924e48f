/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http/client.h"

static struct arena arena;

static void check(const char *remote, const char *forwarded, const char *trusted,
	const char *expected, const char *expected_network)
{
	struct text client;
	struct text network;
	struct text wider;
	client_of(&arena, text_of(remote), text_of(forwarded), trusted, &client, &network, &wider);
	if (!text_equal(client, text_of(expected)))
		fail_msg("%s, forwarded for %s, is %.*s, not %s", remote, forwarded,
			TEXT_PRINTF(client), expected);
	if (!text_equal(network, text_of(expected_network)))
		fail_msg("%s is of %.*s, not %s", expected, TEXT_PRINTF(network), expected_network);
}

static void a_client_is_the_peer_of_the_web_server(void **state)
{
	(void)state;
	check("192.0.2.1", NULL, "", "192.0.2.1", "192.0.2.1");
	check("192.0.2.1", "198.51.100.1", "", "192.0.2.1", "192.0.2.1");
	check("2001:DB8:0::1", NULL, "", "2001:db8::1", "2001:db8::/64");
	check("::ffff:192.0.2.1", NULL, "", "192.0.2.1", "192.0.2.1");
	check("::ffff:c000:201", NULL, "", "192.0.2.1", "192.0.2.1");
	check("fe80::1%eth0", NULL, "", "fe80::1", "fe80::/64");
}

static void the_wider_network_is_a_customer_of_a_provider(void **state)
{
	(void)state;
	static const struct {
		const char *address;
		const char *wider;
	} rows[] = {
		{ "192.0.2.255", "192.0.2.0/24" },
		{ "::ffff:192.0.2.1", "192.0.2.0/24" },
		{ "2001:db8:1:2:3:4:5:6", "2001:db8:1::/48" },
		{ "2001:db8:1:ffff::", "2001:db8:1::/48" },
		{ "::1", "::/48" },
		{ "nonsense", "unknown" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text unused;
		struct text wider;
		client_of(
			&arena, text_of(rows[i].address), TEXT_NONE, "", &unused, &unused, &wider);
		if (!text_equal(wider, text_of(rows[i].wider)))
			fail_msg("%s is of %.*s, not %s", rows[i].address, TEXT_PRINTF(wider),
				rows[i].wider);
	}
}

static void what_is_no_address_is_unknown(void **state)
{
	(void)state;
	static const char *const bad[] = { NULL, "", "unix:", "localhost", "192.0.2",
		"192.0.2.1:80", "192.0.2.1%eth0", "fe80::1%", "[::1]", "%", "::1 ",
		"1.2.3.4.5.6.7.8.9.10.11.12", "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check(bad[i], "198.51.100.1", "0.0.0.0/0 ::/0", "unknown", "unknown");
}

static void forwarded_addresses_are_read_from_the_right(void **state)
{
	(void)state;
	const char *trusted = "10.0.0.0/8 2001:db8:ffff::/48";
	static const struct {
		const char *forwarded;
		const char *expected;
	} rows[] = {
		{ "198.51.100.1", "198.51.100.1" },
		{ "1.1.1.1, 198.51.100.1", "198.51.100.1" },
		{ "1.1.1.1,198.51.100.1 , 10.0.0.9\t", "198.51.100.1" },
		{ "198.51.100.1:4711", "198.51.100.1" },
		{ "::ffff:198.51.100.1", "198.51.100.1" },
		{ "[::ffff:198.51.100.1]:80", "198.51.100.1" },
		{ "198.51.100.1, ::ffff:10.0.0.9", "198.51.100.1" },
		{ "198.51.100.1, [2001:db8:ffff::1]:443", "198.51.100.1" },
		{ "10.0.0.8, 10.0.0.9", "10.0.0.8" }, /* nobody but proxies */
		{ NULL, "10.0.0.1" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check("10.0.0.1", rows[i].forwarded, trusted, rows[i].expected, rows[i].expected);
	check("10.0.0.1", "[2001:db8:1:2:3::4]:80", trusted, "2001:db8:1:2:3::4",
		"2001:db8:1:2::/64");
	check("10.0.0.1", "fe80::7%25", trusted, "fe80::7", "fe80::/64");
}

/* Whoever writes nonsense is the last whose word is taken. */
static void nonsense_ends_the_walk(void **state)
{
	(void)state;
	static const char *const bad[] = { "unknown", "_hidden", "", ",", "198.51.100.1:x",
		"198.51.100.1:65536", "198.51.100.1:-1", "[2001:db8::1", "[2001:db8::1]x", "[",
		"[]", "[2001:db8::1]:", "198.51.100.1:", "198.51.100.1, ", "198.51.100.1 2",
		"198.51.100.1,, 10.0.0.1x" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check("10.0.0.1", bad[i], "10.0.0.0/8", "10.0.0.1", "10.0.0.1");
	check("10.0.0.1", "198.51.100.1, nonsense, 10.0.0.2", "10.0.0.0/8", "10.0.0.2", "10.0.0.2");
}

static void networks_hold_their_own_family(void **state)
{
	(void)state;
	assert_true(client_is_trusted(TEXT("192.0.2.1"), "0.0.0.0/0"));
	assert_false(client_is_trusted(TEXT("2001:db8::1"), "0.0.0.0/0"));
	assert_false(client_is_trusted(TEXT("192.0.2.1"), "::/0"));
	assert_false(client_is_trusted(TEXT("192.0.2.1"), "::/64"));
	assert_true(client_is_trusted(TEXT("192.0.2.1"), "::ffff:0:0/96"));
	assert_true(client_is_trusted(TEXT("192.0.2.1"), "::ffff:192.0.2.0/120"));
	assert_false(client_is_trusted(TEXT("192.0.3.1"), "::ffff:192.0.2.0/120"));
	assert_true(client_is_trusted(TEXT("::ffff:192.0.2.1"), "192.0.2.0/24"));
	assert_true(client_is_trusted(TEXT("fe80::1%eth0"), "fe80::/10"));
	assert_false(client_is_trusted(TEXT_NONE, "0.0.0.0/0 ::/0"));
}

static void settings_are_checked(void **state)
{
	(void)state;
	assert_null(client_check("", &arena));
	assert_null(client_check(" 10.0.0.0/8  ::1 ::ffff:10.0.0.0/104 fe80::1%eth0/64", &arena));
	static const char *const bad[] = { "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "::1/129",
		"localhost", "10.0.0.1:80", "10.0.0.0/8,::1", "10.0.0.1%lo" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!client_check(bad[i], &arena))
			fail_msg("taken: %s", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_is_the_peer_of_the_web_server),
		cmocka_unit_test(the_wider_network_is_a_customer_of_a_provider),
		cmocka_unit_test(what_is_no_address_is_unknown),
		cmocka_unit_test(forwarded_addresses_are_read_from_the_right),
		cmocka_unit_test(nonsense_ends_the_walk),
		cmocka_unit_test(networks_hold_their_own_family),
		cmocka_unit_test(settings_are_checked),
	};
	arena_init(&arena);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_finish(&arena);
	return failed;
}
