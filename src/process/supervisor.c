/* SPDX-License-Identifier: MIT */
/*
 * All signals are blocked and taken one by one where the loop waits: none is lost between a look
 * and a wait. Every child has a slot; a slot knows when its child may be started again. At a reload
 * the slots are allocated anew, and the children of the old ones are only waited for.
 */
#include "process/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
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

/* All that an old child waits for has a deadline; one that is there for so long hangs. */
#define LEAVING_MS 600000

struct slot {
	const struct service *service;
	unsigned number; /* of its kind */
	pid_t child; /* 0: none at present */
	int64_t started_at; /* monotonic ms */
	int64_t start_at; /* not before */
	unsigned young_deaths; /* in a row */
};

struct leaving {
	pid_t child; /* 0: it has gone */
	int64_t since; /* monotonic ms */
};

struct supervision {
	const struct supervisor *supervisor;
	struct slot *slots;
	size_t slot_count;
	struct leaving *leaving; /* children of slots that were */
	size_t leaving_count;
	sigset_t signals;
};

/* What ps and top show instead of the program's name; the kernel keeps 15 octets of it. */
static void set_process_name(const char *role)
{
	char name[32];
	snprintf(name, sizeof(name), "latchkey-%s", role);
	prctl(PR_SET_NAME, name);
}

static void start(struct supervision *supervision, struct slot *slot)
{
	pid_t parent = getpid();
	slot->started_at = clock_monotonic_ms();
	pid_t child = fork();
	if (child < 0) {
		log_error(supervision->supervisor->log, "fork_failed", "%s", strerror(errno));
		slot->start_at = slot->started_at + YOUNG_MS;
	} else if (child > 0) {
		slot->child = child;
	} else {
		/* who kills the supervisor ends its children too, in their own time */
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
			_exit(0);
		set_process_name(slot->service->name);
		signal(SIGCHLD, SIG_DFL);
		_exit(slot->service->run(supervision->supervisor->context, slot->number));
	}
}

static void start_due(struct supervision *supervision)
{
	int64_t now = clock_monotonic_ms();
	for (size_t i = 0; i < supervision->slot_count; i++)
		if (supervision->slots[i].child == 0 && supervision->slots[i].start_at <= now)
			start(supervision, &supervision->slots[i]);
}

static void plan_restart(struct supervision *supervision, struct slot *slot, int status)
{
	int64_t now = clock_monotonic_ms();
	bool young = now - slot->started_at < YOUNG_MS;
	int64_t pause = PAUSE_FIRST_MS << (slot->young_deaths < 6 ? slot->young_deaths : 6);
	pause = pause < PAUSE_LAST_MS ? pause : PAUSE_LAST_MS;
	slot->child = 0;
	slot->start_at = young ? now + pause : now;
	slot->young_deaths = young ? slot->young_deaths + 1 : 0;
	log_error(supervision->supervisor->log, "child_died", "service=%s %s=%d restart_in=%lldms",
		slot->service->name, WIFSIGNALED(status) ? "signal" : "status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
		(long long)(slot->start_at - now));
}

static void reap(struct supervision *supervision, bool stopping)
{
	int status;
	pid_t dead;
	while ((dead = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < supervision->leaving_count; i++)
			if (supervision->leaving[i].child == dead)
				supervision->leaving[i].child = 0;
		for (size_t i = 0; i < supervision->slot_count; i++) {
			struct slot *slot = &supervision->slots[i];
			if (slot->child == dead && stopping)
				slot->child = 0;
			else if (slot->child == dead)
				plan_restart(supervision, slot, status);
		}
	}
}

static void signal_leaving(const struct supervision *supervision, int number, int64_t before)
{
	for (size_t i = 0; i < supervision->leaving_count; i++)
		if (supervision->leaving[i].child > 0 && supervision->leaving[i].since <= before)
			kill(supervision->leaving[i].child, number);
}

static void signal_children(const struct supervision *supervision, int number)
{
	for (size_t i = 0; i < supervision->slot_count; i++)
		if (supervision->slots[i].child > 0)
			kill(supervision->slots[i].child, number);
	signal_leaving(supervision, number, INT64_MAX);
}

/* False where there is no memory; then all is as it was. */
static bool allocate_slots(struct supervision *supervision)
{
	const struct supervisor *supervisor = supervision->supervisor;
	unsigned counts[SUPERVISOR_SERVICES];
	size_t count = 0;
	for (unsigned i = 0; i < SUPERVISOR_SERVICES; i++)
		count += counts[i] = supervisor->services[i].count(supervisor->context);
	struct slot *slots = calloc(count, sizeof(*slots));
	if (!slots)
		return false;
	supervision->slots = slots;
	supervision->slot_count = count;
	for (unsigned i = 0; i < SUPERVISOR_SERVICES; i++)
		for (unsigned k = 0; k < counts[i]; k++)
			*slots++ =
				(struct slot){ .service = &supervisor->services[i], .number = k };
	return true;
}

/* The children of all slots are among those who leave; who has left is forgotten. */
static bool list_leaving(struct supervision *supervision)
{
	size_t most = supervision->leaving_count + supervision->slot_count;
	struct leaving *leaving = calloc(most, sizeof(*leaving));
	size_t count = 0;
	if (!leaving)
		return false;
	for (size_t i = 0; i < supervision->leaving_count; i++)
		if (supervision->leaving[i].child > 0)
			leaving[count++] = supervision->leaving[i];
	for (size_t i = 0; i < supervision->slot_count; i++)
		if (supervision->slots[i].child > 0)
			leaving[count++] = (struct leaving){ supervision->slots[i].child,
				clock_monotonic_ms() };
	free(supervision->leaving);
	supervision->leaving = leaving;
	supervision->leaving_count = count;
	return true;
}

/* The new ones are there before the old ones are asked to go. */
static void reload(struct supervision *supervision)
{
	const struct supervisor *supervisor = supervision->supervisor;
	struct slot *old = supervision->slots;
	if (!supervisor->reload(supervisor->context))
		return;
	if (!list_leaving(supervision) || !allocate_slots(supervision)) {
		log_error(supervisor->log, "no_memory", "children are replaced when they die");
		return;
	}
	free(old);
	start_due(supervision);
	signal_leaving(supervision, SIGTERM, INT64_MAX);
	log_info(supervisor->log, "reloaded", "children=%zu", supervision->slot_count);
}

static bool is_anybody_left(const struct supervision *supervision)
{
	for (size_t i = 0; i < supervision->slot_count; i++)
		if (supervision->slots[i].child > 0)
			return true;
	for (size_t i = 0; i < supervision->leaving_count; i++)
		if (supervision->leaving[i].child > 0)
			return true;
	return false;
}

/* The next signal, or 0 after the time. */
static int wait_signal(const struct supervision *supervision, int64_t milliseconds)
{
	struct timespec timeout = { milliseconds / 1000, milliseconds % 1000 * 1000000 };
	int number = sigtimedwait(&supervision->signals, NULL, milliseconds < 0 ? NULL : &timeout);
	return number > 0 ? number : 0;
}

static void stop(struct supervision *supervision)
{
	const struct supervisor *supervisor = supervision->supervisor;
	int64_t deadline = clock_monotonic_ms() + (int64_t)supervisor->stop_seconds * 1000;
	supervisor->stopping(supervisor->context);
	signal_children(supervision, SIGTERM);
	for (reap(supervision, true); is_anybody_left(supervision); reap(supervision, true)) {
		int64_t left = deadline - clock_monotonic_ms();
		if (left <= 0) {
			log_warning(
				supervisor->log, "killing", "some children did not finish in time");
			signal_children(supervision, SIGKILL);
			left = 1000;
		}
		wait_signal(supervision, left);
	}
	log_info(supervisor->log, "stopped", "all children are gone");
}

/* Milliseconds until something is due; -1: nothing is. */
static int64_t next_due(const struct supervision *supervision)
{
	int64_t now = clock_monotonic_ms();
	int64_t next = supervision->leaving_count > 0 ? LEAVING_MS : -1;
	for (size_t i = 0; i < supervision->slot_count; i++) {
		int64_t left = supervision->slots[i].start_at - now;
		left = left > 0 ? left : 0;
		if (supervision->slots[i].child == 0 && (next < 0 || left < next))
			next = left;
	}
	return next;
}

/* False: it is asked to stop. */
static bool obey(struct supervision *supervision, int number)
{
	const struct supervisor *supervisor = supervision->supervisor;
	if (number == SIGTERM || number == SIGINT)
		return false;
	if (number == SIGHUP)
		reload(supervision);
	if (number == SIGUSR1) {
		supervisor->reopen(supervisor->context);
		signal_children(supervision, SIGUSR1);
	}
	return true;
}

int supervisor_run(const struct supervisor *supervisor)
{
	static const int signals[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGPIPE };
	struct supervision supervision = { .supervisor = supervisor };
	if (!allocate_slots(&supervision)) {
		log_error(supervisor->log, "no_memory", "the supervisor cannot start");
		return 1;
	}
	sigemptyset(&supervision.signals);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(&supervision.signals, signals[i]);
	sigprocmask(SIG_BLOCK, &supervision.signals, NULL);
	start_due(&supervision);
	log_info(supervisor->log, "started", "children=%zu", supervision.slot_count);
	while (obey(&supervision, wait_signal(&supervision, next_due(&supervision)))) {
		reap(&supervision, false);
		signal_leaving(&supervision, SIGKILL, clock_monotonic_ms() - LEAVING_MS);
		start_due(&supervision);
	}
	stop(&supervision);
	free(supervision.slots);
	free(supervision.leaving);
	return 0;
}
