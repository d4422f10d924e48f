/* SPDX-License-Identifier: MIT */
/*
 * Mails wait in the outbox until the other side has taken them. The rows of a batch stay locked in
 * one transaction while they are under way, so a courier that dies gives them back at once, and
 * several couriers on several hosts share the work without knowing of one another.
 */
#include "process/courier.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "mail/letter.h"
#include "mail/transport.h"
#include "process/signals.h"
#include "store/statement.h"
#include "tokens/onetime.h"

/* A lost notification, or another host's, is found by looking this often. */
#define LOOK_MS 5000
#define PURGE_MS 30000
#define PURGE_ROWS 50
/* What has expired can wait: purging gets a hundredth of the time, so that fewer than one request in
 * a hundred runs beside it. */
#define PURGE_SHARE 100
/* A mail is tried again after a quarter of its age, within these bounds (seconds). */
#define RETRY_FIRST 2
#define RETRY_LAST 1800

enum { PK, ID, LETTER, RECIPIENT, FULL_NAME, SEALED_TOKEN, ATTEMPTS, CREATED_AT };

/* The mails of a batch on their way. */
struct batch {
	struct rows rows;
	struct message messages[COURIER_BATCH];
	size_t row_of[COURIER_BATCH]; /* of each message */
	size_t count;
};

void courier_init(struct courier *courier, const struct settings *settings, const struct log *log,
	const struct keyring *keyring, struct store *store)
{
	memset(courier, 0, sizeof(*courier));
	courier->settings = settings;
	courier->log = log;
	courier->keyring = keyring;
	courier->store = store;
	arena_init(&courier->arena);
}

void courier_finish(struct courier *courier)
{
	arena_finish(&courier->arena);
}

static bool was_sent(const struct courier *courier, struct uuid id)
{
	for (size_t i = 0; i < courier->unsettled_count; i++)
		if (uuid_equal(courier->unsettled[i], id))
			return true;
	return false;
}

static void note_sent(struct courier *courier, struct uuid id)
{
	if (courier->unsettled_count < COURIER_BATCH)
		courier->unsettled[courier->unsettled_count++] = id;
}

static bool settle(
	struct courier *courier, enum statement statement, const struct bind *binds, size_t count)
{
	struct rows unused;
	return store_run(courier->store, &courier->arena, statement, binds, count, &unused) ==
	       STORE_NONE;
}

static bool settle_sent(struct courier *courier, const struct rows *rows, size_t row)
{
	char id[UUID_TEXT_SIZE];
	uuid_print(rows_uuid(rows, row, ID), id);
	log_info(courier->log, "mail_sent", "id=%s letter=%.*s", id,
		TEXT_PRINTF(rows_text(rows, row, LETTER)));
	struct bind binds[] = { bind_integer(rows_integer(rows, row, PK)) };
	return settle(courier, STATEMENT_OUTBOX_SENT, binds, 1);
}

static bool settle_failed(
	struct courier *courier, const struct rows *rows, size_t row, const char *reason)
{
	char id[UUID_TEXT_SIZE];
	uuid_print(rows_uuid(rows, row, ID), id);
	log_error(courier->log, "mail_failed", "id=%s letter=%.*s attempts=%lld reason=\"%s\"", id,
		TEXT_PRINTF(rows_text(rows, row, LETTER)),
		(long long)rows_integer(rows, row, ATTEMPTS) + 1, reason);
	struct bind binds[] = { bind_integer(rows_integer(rows, row, PK)),
		bind_text(text_of(reason)) };
	return settle(courier, STATEMENT_OUTBOX_FAIL, binds, 2);
}

static bool settle_retry(
	struct courier *courier, const struct rows *rows, size_t row, const char *reason)
{
	int64_t age = clock_now() - rows_integer(rows, row, CREATED_AT);
	if (age >= courier->settings->mail_give_up)
		return settle_failed(courier, rows, row, reason);
	int64_t delay = age / 4;
	delay = delay < RETRY_FIRST ? RETRY_FIRST : delay > RETRY_LAST ? RETRY_LAST : delay;
	char id[UUID_TEXT_SIZE];
	uuid_print(rows_uuid(rows, row, ID), id);
	log_warning(courier->log, "mail_retry", "id=%s in=%llds reason=\"%s\"", id,
		(long long)delay, reason);
	struct bind binds[] = { bind_integer(rows_integer(rows, row, PK)), bind_integer(delay),
		bind_text(text_of(reason)) };
	return settle(courier, STATEMENT_OUTBOX_RETRY, binds, 3);
}

static bool settle_report(struct courier *courier, const struct rows *rows, size_t row,
	const struct delivery_report *report)
{
	switch (report->delivery) {
	case DELIVERY_SENT:
		return settle_sent(courier, rows, row);
	case DELIVERY_REFUSED:
		return settle_failed(courier, rows, row, report->reason);
	case DELIVERY_RETRY:
		break;
	}
	return settle_retry(courier, rows, row, report->reason);
}

/* NULL, or why the mail can never be sent. */
static const char *render(
	struct courier *courier, const struct rows *rows, size_t row, struct message *message)
{
	struct letter letter = {
		.template = rows_text(rows, row, LETTER),
		.id = rows_uuid(rows, row, ID),
		.written_at = rows_integer(rows, row, CREATED_AT),
		.recipient = rows_text(rows, row, RECIPIENT),
		.full_name = rows_text(rows, row, FULL_NAME),
	};
	struct text sealed = rows_text(rows, row, SEALED_TOKEN);
	struct text bound = text_lower(&courier->arena, letter.recipient);
	if (text_is_given(sealed) &&
		!onetime_open(&courier->arena, courier->keyring, sealed, bound, &letter.token))
		return "its token cannot be opened: the key that sealed it is not in tokens.keys";
	return letter_render(courier->settings, &courier->arena, &letter, message);
}

/* Renders what can be sent; settles what was sent before and what never can be. */
static bool prepare(struct courier *courier, struct batch *batch)
{
	for (size_t row = 0; row < batch->rows.count; row++) {
		bool settled = true;
		const char *wrong = NULL;
		if (was_sent(courier, rows_uuid(&batch->rows, row, ID)))
			settled = settle_sent(courier, &batch->rows, row);
		else if ((wrong = render(
				  courier, &batch->rows, row, &batch->messages[batch->count])))
			settled = settle_failed(courier, &batch->rows, row, wrong);
		else
			batch->row_of[batch->count++] = row;
		if (!settled)
			return false;
	}
	return true;
}

/*
 * Sends and settles. Name look-ups and connecting have no time-out of their own in the mail
 * library; the alarm ends the whole process then, which loses nothing: the rows are given back.
 */
static bool deliver(struct courier *courier, struct batch *batch)
{
	struct delivery_report reports[COURIER_BATCH];
	alarm((unsigned)courier->settings->mail_timeout * (unsigned)(batch->count + 4));
	transport_of(courier->settings)
		->send(courier->settings, &courier->arena, batch->messages, batch->count, reports);
	alarm(0);
	for (size_t i = 0; i < batch->count; i++)
		if (reports[i].delivery == DELIVERY_SENT)
			note_sent(courier, rows_uuid(&batch->rows, batch->row_of[i], ID));
	bool settled = true;
	for (size_t i = 0; i < batch->count && settled; i++)
		settled = settle_report(courier, &batch->rows, batch->row_of[i], &reports[i]);
	return settled;
}

bool courier_turn(struct courier *courier)
{
	struct batch batch = { .count = 0 };
	bool more = false;
	if (!store_begin(courier->store))
		goto out;
	if (STORE_RUN(courier->store, &courier->arena, STATEMENT_OUTBOX_TAKE, &batch.rows,
		    bind_integer(COURIER_BATCH)) != STORE_ROWS ||
		!prepare(courier, &batch) || (batch.count > 0 && !deliver(courier, &batch))) {
		store_rollback(courier->store);
		goto out;
	}
	if (store_commit(courier->store)) {
		courier->unsettled_count = 0;
		more = batch.rows.count == COURIER_BATCH;
	}
out:
	arena_reset(&courier->arena);
	return more;
}

static const struct {
	enum statement statement;
	bool retained; /* for events.retention */
} purges[COURIER_PURGES] = {
	{ STATEMENT_PURGE_SESSIONS, false },
	{ STATEMENT_PURGE_ONE_TIME_TOKENS, false },
	{ STATEMENT_PURGE_RATE_LIMITS, false },
	{ STATEMENT_PURGE_KNOWN_NETWORKS, false },
	{ STATEMENT_PURGE_EVENTS, true },
	{ STATEMENT_PURGE_OUTBOX, true },
};

/* One batch; what it has reached is where the next begins, and 0 when that is the end. */
static void purge(struct courier *courier, size_t which)
{
	enum { PURGED, REACHED };
	enum statement statement = purges[which].statement;
	struct bind binds[] = { bind_integer(PURGE_ROWS), bind_integer(courier->purged_to[which]),
		bind_integer(courier->settings->events_retention) };
	struct rows rows;
	courier->purged_to[which] = 0;
	if (store_run(courier->store, &courier->arena, statement, binds,
		    purges[which].retained ? 3 : 2, &rows) != STORE_ROWS)
		return;
	int64_t purged = rows_integer(&rows, 0, PURGED);
	if (purged > 0)
		log_debug(courier->log, "purged", "statement=%s rows=%lld",
			statement_texts[statement].name, (long long)purged);
	if (purged == PURGE_ROWS)
		courier->purged_to[which] = rows_integer(&rows, 0, REACHED);
}

static bool is_purging(const struct courier *courier)
{
	for (size_t i = 0; i < COURIER_PURGES; i++)
		if (courier->purged_to[i] > 0)
			return true;
	return false;
}

bool courier_purge(struct courier *courier)
{
	bool going_on = is_purging(courier);
	for (size_t i = 0; i < COURIER_PURGES; i++)
		if (!going_on || courier->purged_to[i] > 0)
			purge(courier, i);
	arena_reset(&courier->arena);
	return is_purging(courier);
}

int64_t courier_due(struct courier *courier)
{
	struct rows rows;
	int64_t due = -1;
	if (store_run(courier->store, &courier->arena, STATEMENT_OUTBOX_NEXT, NULL, 0, &rows) ==
			STORE_ROWS &&
		!rows_is_null(&rows, 0, 0)) {
		due = rows_integer(&rows, 0, 0);
		due = due > 0 ? due : 1000; /* it was not taken: another courier has it in hand */
	}
	arena_reset(&courier->arena);
	return due;
}

/* The same for a process that hears of what others put into the outbox, if not always. */
static int64_t idle_time(struct courier *courier)
{
	int64_t due = courier_due(courier);
	return due >= 0 && due < LOOK_MS ? due : LOOK_MS;
}

/* Milliseconds until the next purge is due, which this may have been. */
static int64_t purge_when_due(struct courier *courier)
{
	int64_t began = clock_monotonic_ms();
	int64_t now = began;
	if (began >= courier->purge_at) {
		bool more = courier_purge(courier);
		now = clock_monotonic_ms();
		int64_t pause = PURGE_SHARE * (now > began ? now - began : 1);
		courier->purge_at = now + (more && pause < PURGE_MS ? pause : PURGE_MS);
	}
	return courier->purge_at - now;
}

/* Waits for a notification, a signal, or the time. */
static void rest(struct courier *courier, int64_t milliseconds, const sigset_t *waiting)
{
	struct pollfd notified = { store_socket(courier->store), POLLIN, 0 };
	struct timespec timeout = { milliseconds / 1000, milliseconds % 1000 * 1000000 };
	if (ppoll(&notified, notified.fd >= 0, &timeout, waiting) > 0)
		store_notified(courier->store);
}

int courier_run(struct courier *courier)
{
	unsigned listening = 0; /* which connection does; each new one has to be told */
	sigset_t waiting;
	signals_prepare(&waiting);
	while (!signals_stop_requested()) {
		if (store_socket(courier->store) < 0 || listening != courier->store->connections)
			listening = store_listen(courier->store, "latchkey_outbox")
					    ? courier->store->connections
					    : 0;
		while (!signals_stop_requested() && courier_turn(courier)) {
		}
		int64_t purge_in = purge_when_due(courier);
		if (signals_stop_requested())
			break;
		int64_t idle = store_socket(courier->store) < 0 ? 500 : idle_time(courier);
		rest(courier, idle < purge_in ? idle : purge_in, &waiting);
	}
	return 0;
}
