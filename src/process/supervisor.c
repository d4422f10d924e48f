/* SPDX-License-Identifier: MIT */
/*
 * All signals are blocked and taken one by one where the loop waits: none is lost between a look
 * and a wait. Every child has a place; a place knows when its child may be started again.
 */
#include "process/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define YOUNG_MS 1000
#define PAUSE_FIRST_MS 100
#define PAUSE_LAST_MS 5000

struct place {
	const struct service *service;
	unsigned number; /* of its kind */
	pid_t child; /* 0: none at present */
	pid_t leaving; /* of the generation before; 0: none */
	int64_t started_at; /* monotonic ms */
	int64_t start_at; /* not before */
	unsigned young_deaths; /* in a row */
};

struct house {
	const struct supervisor *supervisor;
	struct place *places;
	size_t count;
	sigset_t signals;
	sigset_t before; /* the mask that children get */
};

static void start(struct house *house, struct place *place)
{
	pid_t parent = getpid();
	place->started_at = clock_monotonic_ms();
	pid_t child = fork();
	if (child < 0) {
		log_error(house->supervisor->log, "fork_failed", "%s", strerror(errno));
		place->start_at = place->started_at + YOUNG_MS;
	} else if (child > 0) {
		place->child = child;
	} else {
		/* whoever kills the supervisor ends its children too, in their own time */
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
			_exit(0);
		signal(SIGCHLD, SIG_DFL);
		sigprocmask(SIG_SETMASK, &house->before, NULL);
		_exit(place->service->run(house->supervisor->context, place->number));
	}
}

static void start_due(struct house *house)
{
	int64_t now = clock_monotonic_ms();
	for (size_t i = 0; i < house->count; i++)
		if (house->places[i].child == 0 && house->places[i].start_at <= now)
			start(house, &house->places[i]);
}

static void plan_restart(struct house *house, struct place *place, int status)
{
	int64_t now = clock_monotonic_ms();
	bool young = now - place->started_at < YOUNG_MS;
	int64_t pause = PAUSE_FIRST_MS << (place->young_deaths < 6 ? place->young_deaths : 6);
	pause = pause < PAUSE_LAST_MS ? pause : PAUSE_LAST_MS;
	place->child = 0;
	place->start_at = young ? now + pause : now;
	place->young_deaths = young ? place->young_deaths + 1 : 0;
	log_error(house->supervisor->log, "child_died", "service=%s %s=%d restart_in=%lldms",
		place->service->name, WIFSIGNALED(status) ? "signal" : "status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
		(long long)(place->start_at - now));
}

static void reap(struct house *house, bool stopping)
{
	int status;
	pid_t dead;
	while ((dead = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < house->count; i++) {
			struct place *place = &house->places[i];
			if (place->leaving == dead)
				place->leaving = 0;
			else if (place->child == dead && stopping)
				place->child = 0;
			else if (place->child == dead)
				plan_restart(house, place, status);
		}
	}
}

static void signal_children(const struct house *house, int number)
{
	for (size_t i = 0; i < house->count; i++) {
		if (house->places[i].child > 0)
			kill(house->places[i].child, number);
		if (house->places[i].leaving > 0)
			kill(house->places[i].leaving, number);
	}
}

/* The new ones are there before the old ones are asked to go. */
static void reload(struct house *house)
{
	if (!house->supervisor->reload(house->supervisor->context))
		return;
	for (size_t i = 0; i < house->count; i++) {
		struct place *place = &house->places[i];
		if (place->leaving > 0)
			kill(place->leaving, SIGKILL); /* two reloads ago */
		place->leaving = place->child;
		place->child = 0;
		start(house, place);
	}
	for (size_t i = 0; i < house->count; i++)
		if (house->places[i].leaving > 0)
			kill(house->places[i].leaving, SIGTERM);
	log_info(house->supervisor->log, "reloaded", "children=%zu", house->count);
}

static bool anybody_left(const struct house *house)
{
	for (size_t i = 0; i < house->count; i++)
		if (house->places[i].child > 0 || house->places[i].leaving > 0)
			return true;
	return false;
}

/* The next signal, or 0 after the time. */
static int wait_signal(const struct house *house, int64_t milliseconds)
{
	struct timespec timeout = { milliseconds / 1000, milliseconds % 1000 * 1000000 };
	int number = sigtimedwait(&house->signals, NULL, milliseconds < 0 ? NULL : &timeout);
	return number > 0 ? number : 0;
}

static void stop(struct house *house)
{
	int64_t deadline = clock_monotonic_ms() + (int64_t)house->supervisor->stop_seconds * 1000;
	signal_children(house, SIGTERM);
	for (reap(house, true); anybody_left(house); reap(house, true)) {
		int64_t left = deadline - clock_monotonic_ms();
		if (left <= 0) {
			log_warning(house->supervisor->log, "killing",
				"some children did not finish in time");
			signal_children(house, SIGKILL);
			left = 1000;
		}
		wait_signal(house, left);
	}
	log_info(house->supervisor->log, "stopped", "all children are gone");
}

/* Milliseconds until a child is due; -1: none is. */
static int64_t next_start(const struct house *house)
{
	int64_t now = clock_monotonic_ms();
	int64_t next = -1;
	for (size_t i = 0; i < house->count; i++) {
		int64_t left = house->places[i].start_at - now;
		left = left > 0 ? left : 0;
		if (house->places[i].child == 0 && (next < 0 || left < next))
			next = left;
	}
	return next;
}

static bool furnish(struct house *house)
{
	const struct supervisor *supervisor = house->supervisor;
	for (unsigned i = 0; i < supervisor->service_count; i++)
		house->count += supervisor->services[i].count;
	house->places = calloc(house->count, sizeof(*house->places));
	if (!house->places)
		return false;
	size_t place = 0;
	for (unsigned i = 0; i < supervisor->service_count; i++)
		for (unsigned k = 0; k < supervisor->services[i].count; k++)
			house->places[place++] =
				(struct place){ .service = &supervisor->services[i], .number = k };
	return true;
}

int supervisor_run(const struct supervisor *supervisor)
{
	static const int signals[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGPIPE };
	struct house house = { .supervisor = supervisor };
	if (!furnish(&house)) {
		log_error(supervisor->log, "no_memory", "the supervisor cannot start");
		return 1;
	}
	sigemptyset(&house.signals);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(&house.signals, signals[i]);
	sigprocmask(SIG_BLOCK, &house.signals, &house.before);
	start_due(&house);
	log_info(supervisor->log, "started", "children=%zu", house.count);
	for (;;) {
		int number = wait_signal(&house, next_start(&house));
		if (number == SIGTERM || number == SIGINT)
			break;
		if (number == SIGHUP)
			reload(&house);
		reap(&house, false);
		start_due(&house);
	}
	stop(&house);
	free(house.places);
	return 0;
}
