/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/settings.h"

static struct arena arena;
static struct settings settings;

/* Loads a file with this content; NULL or what is wrong. */
static const char *load(const char *content, const char *variable, const char *override)
{
	char path[] = "/tmp/latchkey-settings-XXXXXX";
	int file = mkstemp(path);
	assert_true(file >= 0);
	assert_int_equal(write(file, content, strlen(content)), strlen(content));
	close(file);
	char *environment[] = { (char *)(uintptr_t)variable, NULL };
	const char *overrides[] = { override };
	const char *wrong = settings_load(&arena, path, overrides, override ? 1 : 0,
		variable ? environment : NULL, &settings);
	unlink(path);
	return wrong;
}

static void defaults_hold(void **state)
{
	(void)state;
	assert_null(load("", NULL, NULL));
	assert_int_equal(settings.http_max_body, 65536);
	assert_int_equal(settings.tokens_access_ttl, 900);
	assert_int_equal(settings.sessions_lifetime, 30 * 86400);
	assert_int_equal(settings.limits_login.count, 10);
	assert_int_equal(settings.limits_login.seconds, 60);
	assert_string_equal(settings.api_dialect, "bearer");
	assert_true(settings.http_workers >= 2 && settings.passwords_slots >= 1);
	assert_int_equal(settings.mail_tls, TLS_REQUIRED);
}

static void the_later_wins(void **state)
{
	(void)state;
	const char *file = "[http]\nmax_body = 2000\n";
	assert_null(load(file, NULL, NULL));
	assert_int_equal(settings.http_max_body, 2000);
	assert_null(load(file, "LATCHKEY_HTTP_MAX_BODY=3000", NULL));
	assert_int_equal(settings.http_max_body, 3000);
	assert_null(load(file, "LATCHKEY_HTTP_MAX_BODY=3000", "http.max_body=4000"));
	assert_int_equal(settings.http_max_body, 4000);
}

static void values_are_understood(void **state)
{
	(void)state;
	assert_null(load(
		"; a comment\n[limits]\nlogin = off\nreset = 3/2h\n[sessions]\nrotate = always\n"
		"grace = 0s\n[api]\nbase_url = https://example.com/auth/\n",
		NULL, NULL));
	assert_int_equal(settings.limits_login.count, 0);
	assert_int_equal(settings.limits_reset.count, 3);
	assert_int_equal(settings.limits_reset.seconds, 7200);
	assert_int_equal(settings.sessions_rotate, ROTATE_ALWAYS);
	assert_int_equal(settings.sessions_grace, 0);
	assert_string_equal(settings.tokens_issuer, "https://example.com/auth");
}

static void what_is_wrong_names_its_place(void **state)
{
	(void)state;
	static const struct {
		const char *file, *says;
	} rows[] = {
		{ "[http]\nworkerz = 1\n", ":2: unknown key http.workerz; is it http.workers?" },
		{ "[htp]\n\nworkers = 1\n",
			":3: unknown section or key htp.workers; is it http.workers?" },
		{ "[http]\nworkers = many\n",
			":2: http.workers cannot be 'many': it takes a number" },
		{ "[http]\nworkers = 513\n", ":2: http.workers" },
		{ "[http]\nmax_body =\n", ":2: http.max_body" },
		{ "[tokens]\naccess_ttl = 15x\n", ":2: tokens.access_ttl" },
		{ "[tokens]\nalgorithm = none\n", "one of ES256|EdDSA|RS256|HS256" },
		{ "[limits]\nlogin = 10\n", "a rate such as 10/1m" },
		{ "[limits]\nlogin = 0/1m\n", ":2: limits.login" },
		{ "[http]\nworkers = 1\nworkers = 2\n", ":3: http.workers is given a second time" },
		{ "[http]\nnonsense\n", ":2: " },
		{ "workers = 1\n", ":1: " },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *wrong = load(rows[i].file, NULL, NULL);
		if (!wrong || !strstr(wrong, rows[i].says))
			fail_msg("%s: %s", rows[i].file, wrong ? wrong : "taken");
	}
}

static void a_long_line_is_read_whole_and_a_longer_one_refused(void **state)
{
	(void)state;
	static const char start[] = "[database]\nurl = ";
	static char file[10000];
	strcpy(file, start);
	memset(file + strlen(start), 'x', 8190 - strlen("url = "));
	assert_null(load(file, NULL, NULL));
	assert_int_equal(strlen(settings.database_url), 8190 - strlen("url = "));
	memset(file + strlen(start), 'x', 8191 - strlen("url = "));
	const char *wrong = load(file, NULL, NULL);
	assert_non_null(wrong);
	assert_non_null(strstr(wrong, ":2: the line is longer than 8190 octets"));
	assert_null(strstr(wrong, "xxx"));
}

static void lines_may_be_written_in_these_ways(void **state)
{
	(void)state;
	assert_null(load("\xef\xbb\xbf[http] ; the web server's side\r\n"
			 "  max_body : 2000 ; octets\r\n"
			 "# another comment\n"
			 "\tlisten\t=\t/run/a;b\n"
			 "socket_group = ;empty but for this\n"
			 "[api]\nbase_url = https://example.com/a=b:c",
		NULL, NULL));
	assert_int_equal(settings.http_max_body, 2000);
	assert_string_equal(settings.http_listen, "/run/a;b");
	assert_string_equal(settings.http_socket_group, "");
	assert_string_equal(settings.api_base_url, "https://example.com/a=b:c");
}

static void a_file_that_others_may_write_is_refused(void **state)
{
	(void)state;
	char path[] = "/tmp/latchkey-settings-XXXXXX";
	close(mkstemp(path));
	static const struct {
		mode_t mode;
		bool taken;
	} rows[] = { { 0600, true }, { 0644, true }, { 0664, true }, { 0606, false },
		{ 0666, false } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(chmod(path, rows[i].mode), 0);
		const char *wrong = settings_load(&arena, path, NULL, 0, NULL, &settings);
		assert_int_equal(wrong == NULL, rows[i].taken);
		assert_true(!wrong || strstr(wrong, "others may write it"));
		assert_true(!wrong || strstr(wrong, path));
	}
	unlink(path);
	assert_null(settings_load(&arena, "/dev/null", NULL, 0, NULL, &settings));
}

static void a_file_of_a_third_user_is_refused(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip(); /* only root gives files away */
	char path[] = "/tmp/latchkey-settings-XXXXXX";
	close(mkstemp(path));
	assert_int_equal(chown(path, 65534, 0), 0);
	const char *wrong = settings_load(&arena, path, NULL, 0, NULL, &settings);
	assert_non_null(wrong);
	assert_non_null(strstr(wrong, "chown root it"));
	unlink(path);
}

static void variables_and_options_are_checked(void **state)
{
	(void)state;
	assert_non_null(strstr(load("", "LATCHKEY_HTTP_WORKERZ=1", NULL), "LATCHKEY_HTTP_WORKERZ"));
	assert_non_null(strstr(load("", NULL, "http.workers"), "section.key=value"));
	assert_non_null(strstr(load("", NULL, "workers=1"), "section.key=value"));
	assert_null(load("", "LATCHKEY_TEST_DATABASE_URL=x", NULL));
	assert_null(load("", "PATH=/bin", NULL));
}

static void a_secret_is_not_in_the_message(void **state)
{
	(void)state;
	assert_null(
		strstr(load("", NULL, "database.url=postgresql://u:hunter2@h/\x01"), "hunter2"));
}

static const char *mask(struct arena *for_mask, const char *value)
{
	return arena_format(for_mask, "%.5s://masked", value);
}

static void what_is_printed_reads_back_and_secrets_are_masked(void **state)
{
	(void)state;
	static const struct settings_mask masks[] = { { "mail", "url", mask },
		{ NULL, NULL, NULL } };
	char *printed = NULL;
	size_t size;
	assert_null(load("[mail]\nurl = smtps://user:hunter2@example.com\n[database]\n"
			 "url = host=x password=hunter3 user=y\n[limits]\nlogin = 7/1h\n",
		NULL, NULL));
	FILE *to = open_memstream(&printed, &size);
	settings_print(&settings, masks, to);
	fclose(to);
	assert_null(strstr(printed, "hunter"));
	assert_non_null(strstr(printed, "\nurl = smtps://masked\n"));
	assert_non_null(strstr(printed, "[database]\nurl = ***\n"));
	assert_null(load(printed, NULL, NULL));
	assert_int_equal(settings.limits_login.count, 7);
	free(printed);
}

static void the_sample_is_a_file_of_defaults(void **state)
{
	(void)state;
	char *printed = NULL;
	size_t size;
	FILE *to = open_memstream(&printed, &size);
	settings_print_sample(to);
	fclose(to);
	assert_null(load(printed, NULL, NULL));
	free(printed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_hold),
		cmocka_unit_test(the_later_wins),
		cmocka_unit_test(values_are_understood),
		cmocka_unit_test(what_is_wrong_names_its_place),
		cmocka_unit_test(a_long_line_is_read_whole_and_a_longer_one_refused),
		cmocka_unit_test(lines_may_be_written_in_these_ways),
		cmocka_unit_test(a_file_that_others_may_write_is_refused),
		cmocka_unit_test(a_file_of_a_third_user_is_refused),
		cmocka_unit_test(variables_and_options_are_checked),
		cmocka_unit_test(a_secret_is_not_in_the_message),
		cmocka_unit_test(what_is_printed_reads_back_and_secrets_are_masked),
		cmocka_unit_test(the_sample_is_a_file_of_defaults),
	};
	arena_init(&arena);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_finish(&arena);
	return failed;
}
