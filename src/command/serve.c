/* SPDX-License-Identifier: MIT */
/*
 * latchkey serve. What can be wrong is found before the first child is forked, and said on stderr.
 * A database that is away, or that lacks steps of the schema, is no reason not to start: requests are
 * answered 503 until it is there and `latchkey migrate` has been run.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/generation.h"
#include "process/courier.h"
#include "process/hasher.h"
#include "process/listener.h"
#include "process/privileges.h"
#include "process/supervisor.h"
#include "process/worker.h"
#include "store/schema.h"

/* So many hashes take less than the two seconds that anybody waits for one. */
#define WAITING_PER_HASHER 64

/* Kept connections wait only until a worker has a moment, or for the next generation's workers. */
#define WAITING_KEPT 256

/* Everything that the processes have in common. */
struct house {
	const struct options *options;
	struct generation *generation; /* the one for children to come */
	struct generation generations[2];
	struct log log;
	struct listener listener;
	struct queue hashes;
	struct queue kept;
};

/* A process that answers or delivers, with a connection of its own. */
struct resident {
	struct log log;
	struct store store;
	struct context context;
	struct courier courier;
	int64_t turned_at; /* monotonic ms of the last courier turn between answers */
};

static void resident_init(struct resident *resident, struct house *house, const char *role)
{
	struct generation *generation = house->generation;
	resident->log = house->log;
	resident->log.role = role;
	resident->turned_at = 0;
	store_init(&resident->store, &generation->settings, &resident->log);
	resident->context = (struct context){
		.settings = &generation->settings,
		.log = &resident->log,
		.keyring = &generation->keyring,
		.blocklist = &generation->blocklist,
		.tokens = claims_cache_open(),
		.store = &resident->store,
	};
	courier_init(&resident->courier, &generation->settings, &resident->log,
		&generation->keyring, &resident->store);
}

static void resident_finish(struct resident *resident)
{
	courier_finish(&resident->courier);
	store_finish(&resident->store);
	claims_cache_close(resident->context.tokens);
}

/* Kept connections gather with half as many workers as there are processors, for the web server and
 * the database need the other half; the more a worker has in hand, the less it costs to wake it. An
 * RSA signature costs several times what all else does: then they need all. */
static bool keeps_connections(const struct settings *settings, unsigned number)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	bool costly = settings->tokens_algorithm == ALGORITHM_RS256;
	return number < (unsigned)(costly ? processors : (processors + 1) / 2);
}

static int run_worker(void *context, unsigned number)
{
	struct house *house = context;
	struct resident resident;
	bool keeps = keeps_connections(&house->generation->settings, number);
	resident_init(&resident, house, "worker");
	int status = worker_run(house->listener.socket, &resident.context, &house->hashes,
		&house->kept, keeps, NULL, NULL);
	resident_finish(&resident);
	return status;
}

/* Only workers take connections: while others live, nobody should think that somebody listens. */
static void stop_listening(const struct house *house)
{
	close(house->listener.socket);
}

static int run_hasher(void *context, unsigned number)
{
	struct house *house = context;
	struct resident resident;
	stop_listening(house);
	resident_init(&resident, house, "hasher");
	int status = hasher_run(&resident.context, &house->hashes, &house->kept, number);
	resident_finish(&resident);
	return status;
}

static int run_courier(void *context, unsigned number)
{
	struct house *house = context;
	struct resident resident;
	(void)number;
	stop_listening(house);
	resident_init(&resident, house, "courier");
	int status = courier_run(&resident.courier);
	resident_finish(&resident);
	return status;
}

/* Without a supervisor nobody else sends the mail: a batch now and then, when the answer is out. */
static void turn_between_answers(void *context)
{
	struct resident *resident = context;
	int64_t now = clock_monotonic_ms();
	if (now - resident->turned_at < 1000)
		return;
	resident->turned_at = now;
	courier_turn(&resident->courier);
	courier_purge(&resident->courier);
}

static int run_alone(struct house *house)
{
	struct resident resident;
	resident_init(&resident, house, "worker");
	int status = worker_run(house->listener.socket, &resident.context, NULL, NULL, true,
		turn_between_answers, &resident);
	resident_finish(&resident);
	return status;
}

/* The children that run keep the memory they were forked with; the other generation is free since
 * the reload before. */
static bool reload(void *context)
{
	struct house *house = context;
	struct generation *next = &house->generations[house->generation == house->generations];
	struct arena errors;
	arena_init(&errors);
	generation_close(next);
	const char *wrong = generation_open(next, house->options, &errors);
	if (wrong)
		log_error(&house->log, "reload_failed", "%s; the settings before stay in force",
			wrong);
	else
		house->generation = next;
	arena_finish(&errors);
	return !wrong;
}

static int supervise(struct house *house)
{
	const struct settings *settings = &house->generation->settings;
	const struct service services[] = {
		{ "worker", (unsigned)settings->http_workers, run_worker },
		{ "hasher", (unsigned)settings->passwords_slots, run_hasher },
		{ "courier", 1, run_courier },
	};
	const struct supervisor supervisor = {
		.log = &house->log,
		.services = services,
		.service_count = sizeof(services) / sizeof(services[0]),
		.context = house,
		.reload = reload,
		.stop_seconds = (int)settings->http_timeout + 2,
	};
	int status = EXIT_FAILED;
	if (queue_open(&house->hashes, WAITING_PER_HASHER * (unsigned)settings->passwords_slots) &&
		queue_open(&house->kept, WAITING_KEPT))
		status = supervisor_run(&supervisor);
	else
		log_error(&house->log, "no_queue", "%s", strerror(errno));
	queue_close(&house->hashes);
	queue_close(&house->kept);
	return status;
}

/* NULL unless the database has answered, and its schema is one that migrate does not mend. */
static const char *check_schema(struct house *house, struct arena *arena)
{
	const char *detail;
	enum schema_state state =
		schema_check(&house->generation->settings, &house->log, arena, &detail);
	if (state == SCHEMA_OLD)
		log_warning(
			&house->log, "schema_old", "%s; until then the answers are 503", detail);
	return state == SCHEMA_NEW || state == SCHEMA_FOREIGN ? detail : NULL;
}

/* With process.user, root makes the socket and nothing else: what is read and written from then on
 * is read and written by the user that serves, now as at a reload. */
static const char *leave_root(struct house *house, struct arena *arena)
{
	struct settings settings;
	const char *wrong = options_settings(house->options, arena, &settings);
	if (wrong || settings.process_user[0] == '\0')
		return wrong;
	if (geteuid() == 0)
		wrong = listener_open(&house->listener, &settings, arena);
	return wrong ? wrong : privileges_drop(settings.process_user, arena);
}

static void warn_of_root(const struct house *house)
{
	static const char advice[] =
		"the service runs as root and needs nothing of what root may do: set "
		"process.user, or User= in the unit of systemd, or spawn-fcgi -u";
	log_warning(&house->log, "runs_as_root", "%s", advice);
	if (house->log.descriptor != STDERR_FILENO)
		complain(advice);
}

/* NULL, or what is wrong with the settings, in the arena. */
static const char *open_files(struct house *house, struct arena *arena)
{
	/* 1. settings, keys, password list: all that is in files */
	const char *wrong = generation_open(house->generation, house->options, arena);
	const struct settings *settings = &house->generation->settings;
	if (wrong)
		return wrong;
	/* 2. the log, for what comes after people have stopped watching */
	if (!log_open(&house->log, settings->log_target, (enum log_level)settings->log_level,
		    "supervisor"))
		return arena_format(arena, "log.target: cannot write to %s: %s",
			settings->log_target, strerror(errno));
	if (geteuid() == 0)
		warn_of_root(house);
	return NULL;
}

static int open_house(struct house *house, struct arena *arena)
{
	const char *wrong = leave_root(house, arena);
	privileges_hide_memory();
	if (!wrong)
		wrong = open_files(house, arena);
	/* 3. a schema that is ours, or will be; 4. the socket, so that nobody connects before */
	if (!wrong)
		wrong = check_schema(house, arena);
	if (!wrong && house->listener.socket < 0)
		wrong = listener_open(&house->listener, &house->generation->settings, arena);
	if (wrong)
		complain(wrong);
	/* a reload forgets the settings that the path came from */
	else if (house->listener.path)
		house->listener.path =
			arena_copy(arena, house->listener.path, strlen(house->listener.path));
	return wrong ? EXIT_BAD_CONFIG : EXIT_OK;
}

int command_serve(const struct options *options)
{
	struct house house = { .options = options,
		.listener = { -1, NULL },
		.hashes = { -1, -1 },
		.kept = { -1, -1 } };
	struct arena arena;
	arena_init(&arena);
	house.generation = &house.generations[0];
	int status = open_house(&house, &arena);
	if (status == EXIT_OK)
		status = house.generation->settings.http_workers == 0 ? run_alone(&house)
								      : supervise(&house);
	listener_close(&house.listener);
	log_close(&house.log);
	generation_close(&house.generations[0]);
	generation_close(&house.generations[1]);
	arena_finish(&arena);
	return status;
}
