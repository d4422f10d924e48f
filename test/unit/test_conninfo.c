/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "store/conninfo.h"

static struct arena arena;

/* Each spelling that libpq documents, with the same password. */
static const char *const spellings[] = {
	"postgresql://me:hunter2@db.example.com/latchkey",
	"postgres://me:hunter2@a:5432,b:5433/latchkey?target_session_attrs=read-write",
	"postgresql://me@db/latchkey?password=hunter2",
	"postgresql://me@db/latchkey?sslmode=require&password=hunter2&application_name=x",
	"postgresql:///latchkey?host=/run/postgresql&user=me&sslpassword=hunter2",
	"postgresql://me:h%75nter2@db/latchkey",
	"host=db user=me password=hunter2",
	"host=db password = hunter2 user=me",
	"password='hunter2' host=db",
	"password='hun\\'ter2' host=db",
	"host=db password=hun\\ ter2",
	"user=me\tpassword\t=\thunter2",
	"sslpassword=hunter2 sslkey=/etc/key",
};

static void no_spelling_shows_a_password(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		const char *masked = conninfo_masked(&arena, spellings[i]);
		assert_null(conninfo_check(spellings[i]));
		if (strstr(masked, "hun") || strstr(masked, "ter2") ||
			!strstr(masked, "password=***"))
			fail_msg("%s: %s", spellings[i], masked);
	}
}

static void the_rest_is_shown_and_reads_back(void **state)
{
	(void)state;
	const char *masked = conninfo_masked(
		&arena, "postgresql://me:x@a:5432,b:5433/my%20db?application_name=it's&options=");
	assert_string_equal(masked, "user=me password=*** dbname='my db' host=a,b port=5432,5433 "
				    "options='' application_name='it\\'s'");
	assert_null(conninfo_check(masked));
	assert_string_equal(conninfo_masked(&arena, masked), masked);
	assert_string_equal(conninfo_masked(&arena, ""), "");
}

static void what_cannot_be_read_is_masked_whole_and_refused(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"postgresql://me:hunter2@db/latchkey?hunter2",
		"postgresql://me:hunter%2@db/latchkey",
		"hunter2",
		"host=db password='hunter2",
		"host=db hunter2=x",
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *wrong = conninfo_check(rows[i]);
		assert_string_equal(conninfo_masked(&arena, rows[i]), "***");
		assert_non_null(wrong);
		assert_null(strstr(wrong, "hunter"));
	}
	assert_non_null(strstr(conninfo_check(""), "not set"));
}

/* Else "hunter" would be a host or a database, and stand in each message about it. */
static void a_password_that_ends_early_is_refused(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"postgresql://me:x@hunter@db/latchkey",
		"postgresql://me:12/hunter@db/latchkey",
		"postgresql://me:12/hunter@db",
	};
	static const char *const good[] = {
		"postgresql://me:x%40hunter@db/latchkey",
		"postgresql://me@db/latchkey?application_name=a@b/c",
		"postgresql:///latchkey?host=/run/postgresql",
		"postgresql://[::1]:5432/latchkey",
		"host=db password=a@b/c@d",
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *wrong = conninfo_check(rows[i]);
		assert_non_null(wrong);
		assert_non_null(strstr(wrong, "%40"));
		assert_null(strstr(wrong, "hunter"));
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_null(conninfo_check(good[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_spelling_shows_a_password),
		cmocka_unit_test(the_rest_is_shown_and_reads_back),
		cmocka_unit_test(what_cannot_be_read_is_masked_whole_and_refused),
		cmocka_unit_test(a_password_that_ends_early_is_refused),
	};
	arena_init(&arena);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_finish(&arena);
	return failed;
}
