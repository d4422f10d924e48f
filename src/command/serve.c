/* SPDX-License-Identifier: MIT */
/*
 * latchkey serve. What can be wrong is found before the first child is forked, and said on stderr.
 * A database that is away, or that lacks steps of the schema, is no reason not to start: requests are
 * answered 503 until it is there and `latchkey migrate` has been run.
 */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "command/generation.h"
#include "command/server.h"
#include "process/privileges.h"
#include "store/schema.h"

/* NULL unless the database has answered, and its schema is one that migrate does not mend. */
static const char *check_schema(struct server *server, struct arena *arena)
{
	const char *detail;
	enum schema_state state =
		schema_check(&server->configuration->settings, &server->log, arena, &detail);
	if (state == SCHEMA_OLD)
		log_warning(
			&server->log, "schema_old", "%s; until then the answers are 503", detail);
	return state == SCHEMA_NEW || state == SCHEMA_FOREIGN ? detail : NULL;
}

/* With process.user, root makes the socket and nothing else: what is read and written from then on
 * is read and written by the user that serves, now as at a reload. */
static const char *leave_root(struct server *server, struct arena *arena)
{
	struct settings settings;
	const char *wrong = options_settings(server->options, arena, &settings);
	if (wrong || settings.process_user[0] == '\0')
		return wrong;
	if (geteuid() == 0)
		wrong = listener_open(&server->listener, &settings, arena);
	if (!wrong)
		wrong = privileges_drop(settings.process_user, arena);
	return settings_placed(&settings, arena, wrong);
}

static void warn_of_root(const struct server *server)
{
	static const char advice[] =
		"the service runs as root and needs nothing of what root may do: set "
		"process.user, or User= in the unit of systemd, or spawn-fcgi -u";
	log_warning(&server->log, "runs_as_root", "%s", advice);
	if (server->log.descriptor != STDERR_FILENO)
		complain(advice);
}

/* NULL, or what is wrong with the settings, in the arena. */
static const char *open_files(struct server *server, struct arena *arena)
{
	/* 1. settings, keys, password list: all that is in files */
	const char *wrong = generation_open(server->configuration, server->options, arena);
	const struct settings *settings = &server->configuration->settings;
	if (wrong)
		return wrong;
	/* 2. the log, for what comes after people have stopped watching */
	if (!log_open(&server->log, settings->log_target, (enum log_level)settings->log_level,
		    "supervisor"))
		return arena_format(arena, "log.target: cannot write to %s: %s",
			settings->log_target, strerror(errno));
	if (geteuid() == 0)
		warn_of_root(server);
	return NULL;
}

static int open_resources(struct server *server, struct arena *arena)
{
	const char *wrong = leave_root(server, arena);
	privileges_hide_memory();
	if (!wrong)
		wrong = open_files(server, arena);
	/* 3. a schema that is ours, or will be; 4. the socket, so that nobody connects before */
	if (!wrong)
		wrong = check_schema(server, arena);
	if (!wrong && server->listener.socket < 0)
		wrong = listener_open(&server->listener, &server->configuration->settings, arena);
	if (wrong)
		complain(settings_placed(&server->configuration->settings, arena, wrong));
	/* a reload forgets the settings that the path came from */
	else if (server->listener.path)
		server->listener.path =
			arena_copy(arena, server->listener.path, strlen(server->listener.path));
	return wrong ? EXIT_BAD_CONFIG : EXIT_OK;
}

/* Every connection that a web server keeps is a descriptor. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int command_serve(const struct options *options)
{
	struct server server = {
		.options = options, .listener = { -1, NULL }, .handoff = { -1, -1 }
	};
	struct arena arena;
	arena_init(&arena);
	server.configuration = &server.configurations[0];
	raise_descriptor_limit();
	int status = open_resources(&server, &arena);
	if (status == EXIT_OK)
		status = server.configuration->settings.http_workers == 0
				 ? server_run_alone(&server)
				 : server_supervise(&server);
	listener_close(&server.listener);
	log_close(&server.log);
	generation_close(&server.configurations[0]);
	generation_close(&server.configurations[1]);
	arena_finish(&arena);
	return status;
}
