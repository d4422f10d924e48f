/* SPDX-License-Identifier: MIT */
/*
 * What each process gets: a child has what it needs of the server and closes the rest. A reload replaces
 * the configuration as a whole; children that run keep the one that they were forked with.
 */
#include "command/server.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "process/courier.h"
#include "process/hasher.h"
#include "process/mailer.h"
#include "process/signals.h"
#include "process/supervisor.h"
#include "process/worker.h"

#define NOTHING_DUE 255 /* seconds until a process that is alone looks for mail again */
#define PURGE_MS 50 /* and so long it purges then */

/* What a child has of its own. */
struct child {
	struct log log;
	struct store store;
	struct context context;
};

static void child_init(struct child *child, const struct server *server, const char *role)
{
	const struct generation *configuration = server->configuration;
	child->log = server->log;
	child->log.role = role;
	store_init(&child->store, &configuration->settings, &child->log);
	child->context = (struct context){
		.settings = &configuration->settings,
		.log = &child->log,
		.keyring = &configuration->keyring,
		.blocklist = &configuration->blocklist,
		.tokens = claims_cache_open(),
		.store = &child->store,
	};
}

static void child_finish(struct child *child)
{
	store_finish(&child->store);
	claims_cache_close(child->context.tokens);
}

static int run_worker(void *context, unsigned number)
{
	struct server *server = context;
	struct child child;
	child_init(&child, server, "worker");
	hash_channel_keep_worker(&server->channel, number);
	const struct worker_settings settings = {
		.listener = server->listener.socket,
		.context = &child.context,
		.handoff = &server->handoff,
		.hashers = &server->channel,
		.number = number,
	};
	int status = worker_run(&settings);
	child_finish(&child);
	return status;
}

/* While others live, nobody should think that somebody listens here, or holds a connection open. */
static void close_connections(struct server *server)
{
	close(server->listener.socket);
	handoff_close(&server->handoff);
}

static int run_hasher(void *context, unsigned number)
{
	struct server *server = context;
	struct log log = server->log;
	const struct hasher_settings settings = {
		.channel = &server->channel,
		.log = &log,
		.log_target = strdup(server->configuration->settings.log_target),
		.number = number,
		.memory = (uint32_t)server->configuration->settings.passwords_memory,
	};
	log.role = "hasher";
	close_connections(server);
	hash_channel_keep_hasher(&server->channel);
	/* it needs no key and no password of the database, so it has none */
	generation_close(&server->configurations[0]);
	generation_close(&server->configurations[1]);
	return hasher_run(&settings);
}

static int run_courier(void *context, unsigned number)
{
	struct server *server = context;
	struct child child;
	struct courier courier;
	(void)number;
	close_connections(server);
	hash_channel_close(&server->channel);
	child_init(&child, server, "courier");
	courier_init(
		&courier, child.context.settings, &child.log, child.context.keyring, &child.store);
	int status = courier_run(&courier);
	courier_finish(&courier);
	child_finish(&child);
	return status;
}

static unsigned send_mail(void *context)
{
	struct child child;
	struct courier courier;
	sigset_t waiting;
	signals_prepare(&waiting); /* asked to stop, it ends after the mail that is under way */
	child_init(&child, context, "courier");
	courier_init(
		&courier, child.context.settings, &child.log, child.context.keyring, &child.store);
	while (courier_turn(&courier)) {
	}
	janitor_purge_for(&courier.janitor, PURGE_MS);
	int64_t due = store_socket(&child.store) < 0 ? 0 : courier_due(&courier);
	return due < 0 ? NOTHING_DUE : (unsigned)(due / 1000 + 1);
}

int server_run_alone(struct server *server)
{
	struct child child;
	child_init(&child, server, "worker");
	struct mailer mailer = {
		.send = send_mail, .context = server, .keep = server->log.descriptor
	};
	const struct worker_settings settings = {
		.listener = server->listener.socket,
		.context = &child.context,
		.chore = mailer_work,
		.chore_context = &mailer,
	};
	int status = worker_run(&settings);
	mailer_stop(&mailer);
	child_finish(&child);
	return status;
}

static unsigned count_workers(void *context)
{
	const struct server *server = context;
	return (unsigned)server->configuration->settings.http_workers;
}

static unsigned count_hashers(void *context)
{
	const struct server *server = context;
	return (unsigned)server->configuration->settings.passwords_slots;
}

static unsigned count_couriers(void *context)
{
	(void)context;
	return 1;
}

/* What a process has once and for all. */
static void warn_of_restart(
	const struct log *log, const struct settings *before, const struct settings *after)
{
	static const char remedy[] = "%s has changed: restart latchkey for that";
	if (strcmp(before->http_listen, after->http_listen) != 0)
		log_warning(log, "restart_needed", remedy, "http.listen");
	if (strcmp(before->http_socket_mode, after->http_socket_mode) != 0)
		log_warning(log, "restart_needed", remedy, "http.socket_mode");
	if (strcmp(before->http_socket_group, after->http_socket_group) != 0)
		log_warning(log, "restart_needed", remedy, "http.socket_group");
	if (strcmp(before->process_user, after->process_user) != 0)
		log_warning(log, "restart_needed", remedy, "process.user");
}

/* Everything that a reload needs, or what cannot be had, in the arena. */
static const char *prepare_reload(struct server *server, struct generation *next,
	struct hash_channel *channel, struct log *log, struct arena *errors)
{
	const char *wrong = generation_open(next, server->options, errors);
	const struct settings *settings = &next->settings;
	if (wrong)
		return wrong;
	if (settings->http_workers == 0)
		return "http.workers = 0 needs a restart of latchkey";
	if (!log_open(log, settings->log_target, (enum log_level)settings->log_level,
		    server->log.role))
		return settings_placed(settings, errors,
			arena_format(errors, "log.target: cannot write to %s: %s",
				settings->log_target, strerror(errno)));
	if (!hash_channel_open(channel, (unsigned)settings->http_workers,
		    (unsigned)settings->passwords_slots)) {
		wrong = arena_format(
			errors, "no sockets for the hashers can be had: %s", strerror(errno));
		log_close(log);
	}
	return wrong;
}

/* The other configuration is free since the reload before. Old children have the old channel open; it
 * ends when the last old worker does. */
static bool reload(void *context)
{
	struct server *server = context;
	struct generation *next =
		&server->configurations[server->configuration == server->configurations];
	struct hash_channel channel = { 0 };
	struct log log;
	struct arena errors;
	arena_init(&errors);
	generation_close(next);
	const char *wrong = prepare_reload(server, next, &channel, &log, &errors);
	if (wrong) {
		log_error(&server->log, "reload_failed", "%s; the settings before stay in force",
			wrong);
		hash_channel_close(&channel);
	} else {
		log_close(&server->log);
		server->log = log;
		warn_of_restart(&log, &server->configuration->settings, &next->settings);
		hash_channel_close(&server->channel);
		server->channel = channel;
		server->configuration = next;
	}
	arena_finish(&errors);
	return !wrong;
}

static void reopen(void *context)
{
	struct server *server = context;
	const char *target = server->configuration->settings.log_target;
	if (!log_reopen(&server->log, target))
		log_error(&server->log, "log_not_reopened",
			"log.target %s: %s; the file before is written to still", target,
			strerror(errno));
}

/* Hashers end when nobody can send them jobs any more. */
static void release_channel(void *context)
{
	struct server *server = context;
	hash_channel_close(&server->channel);
}

int server_supervise(struct server *server)
{
	const struct settings *settings = &server->configuration->settings;
	const struct supervisor supervisor = {
		.log = &server->log,
		.services = { { "worker", count_workers, run_worker },
			{ "hasher", count_hashers, run_hasher },
			{ "courier", count_couriers, run_courier } },
		.context = server,
		.reload = reload,
		.reopen = reopen,
		.stopping = release_channel,
		.stop_seconds = 2 * (int)settings->http_timeout + 2,
	};
	int status = EXIT_FAILED;
	if (handoff_open(&server->handoff) &&
		hash_channel_open(&server->channel, (unsigned)settings->http_workers,
			(unsigned)settings->passwords_slots))
		status = supervisor_run(&supervisor);
	else
		log_error(&server->log, "no_sockets", "%s", strerror(errno));
	hash_channel_close(&server->channel);
	handoff_close(&server->handoff);
	return status;
}
