/* SPDX-License-Identifier: MIT */
/*
 * Mails wait in the outbox until the other side has taken them. A batch of them belongs to this
 * courier until its lease ends, and no transaction is open while they are under way: a courier that
 * dies loses no mail, and several couriers on several hosts share the work without knowing of one
 * another.
 */
#include "process/courier.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "mail/letter.h"
#include "mail/transport.h"
#include "process/batch.h"
#include "process/signals.h"
#include "store/statement.h"
#include "tokens/onetime.h"

/* A lost notification, or another host's, is found by looking this often. */
#define LOOK_MS 5000
#define BUSY_MS 1000

void courier_init(struct courier *courier, const struct settings *settings, const struct log *log,
	const struct keyring *keyring, struct store *store)
{
	memset(courier, 0, sizeof(*courier));
	courier->settings = settings;
	courier->log = log;
	courier->keyring = keyring;
	courier->store = store;
	arena_init(&courier->arena);
	janitor_init(&courier->janitor, settings, log, store);
}

void courier_finish(struct courier *courier)
{
	janitor_finish(&courier->janitor);
	arena_finish(&courier->arena);
}

/* The signals are blocked but while the courier rests. */
static bool must_stop(void)
{
	sigset_t pending;
	sigpending(&pending);
	return signals_stop_requested() || sigismember(&pending, SIGTERM) == 1 ||
	       sigismember(&pending, SIGINT) == 1;
}

/* Those that are out and whose rows were not deleted. False: the database is still away. */
static bool settle_unsettled(struct courier *courier)
{
	struct rows unused;
	while (courier->unsettled_count > 0) {
		const struct sent_mail *sent = &courier->unsettled[courier->unsettled_count - 1];
		enum store_result result =
			STORE_RUN(courier->store, &courier->arena, STATEMENT_OUTBOX_SENT, &unused,
				bind_integer(sent->pk), bind_uuid(sent->claim));
		if (result != STORE_ROWS && result != STORE_NONE)
			return false;
		courier->unsettled_count--;
	}
	return true;
}

/* NULL, or why the mail can never be sent. */
static const char *render(struct batch *batch, size_t row, struct message *message)
{
	struct courier *courier = batch->courier;
	const struct rows *rows = &batch->rows;
	struct letter letter = {
		.template = rows_text(rows, row, BATCH_LETTER),
		.id = rows_uuid(rows, row, BATCH_ID),
		.written_at = rows_integer(rows, row, BATCH_CREATED_AT),
		.recipient = rows_text(rows, row, BATCH_RECIPIENT),
		.full_name = rows_text(rows, row, BATCH_FULL_NAME),
	};
	struct text sealed = rows_text(rows, row, BATCH_SEALED_TOKEN);
	struct text bound = text_lower(&courier->arena, letter.recipient);
	if (rows_boolean(rows, row, BATCH_ABANDONED) &&
		rows_integer(rows, row, BATCH_AGE) >= courier->settings->mail_give_up)
		return "each courier that had it ended before it knew what became of it";
	if (rows_boolean(rows, row, BATCH_EXPIRED))
		return "its link expired before it could be sent";
	if (text_is_given(sealed) &&
		!onetime_open(&courier->arena, courier->keyring, sealed, bound, &letter.token))
		return "its token cannot be opened: the key that sealed it is not in tokens.keys";
	return letter_render(courier->settings, &courier->arena, &letter, message);
}

/* What is needed and can be sent becomes a message. */
static void sort_in(struct batch *batch, size_t row)
{
	struct courier *courier = batch->courier;
	if (!rows_boolean(&batch->rows, row, BATCH_NEEDED)) {
		batch->done[row] = true;
		log_debug(courier->log, "mail_dropped", "id=%s letter=%.*s", batch_id(batch, row),
			TEXT_PRINTF(rows_text(&batch->rows, row, BATCH_LETTER)));
		return;
	}
	if (rows_boolean(&batch->rows, row, BATCH_ABANDONED))
		log_warning(courier->log, "mail_abandoned",
			"id=%s the courier that had it ended before it knew what became of it: it "
			"may arrive twice",
			batch_id(batch, row));
	const char *wrong = render(batch, row, &batch->messages[batch->count]);
	if (wrong)
		batch_fail(batch, row, wrong);
	else
		batch->row_of[batch->count++] = row;
}

/* Claims what is due, and renders what can be sent. */
static bool claim(struct batch *batch)
{
	struct courier *courier = batch->courier;
	batch->leased_at = clock_monotonic_ms();
	if (STORE_RUN(courier->store, &courier->arena, STATEMENT_OUTBOX_CLAIM, &batch->rows,
		    bind_integer(COURIER_BATCH), bind_uuid(batch->claim),
		    bind_integer(batch_lease(courier))) != STORE_ROWS)
		return false;
	for (size_t row = 0; row < batch->rows.count; row++)
		sort_in(batch, row);
	return true;
}

/* Whether another mail may be begun. */
static bool goes_on(struct batch *batch)
{
	return !must_stop() && batch_is_held(batch);
}

static bool was_told(void *context, size_t message, const struct delivery_report *report)
{
	struct batch *batch = context;
	batch_settle(batch, batch->row_of[message], report);
	return goes_on(batch);
}

/* Sends the batch, and gives back what was not begun. */
static void deliver(struct batch *batch)
{
	const struct settings *settings = batch->courier->settings;
	batch_watch(batch);
	if (batch->count > 0 && goes_on(batch))
		transport_of(settings)->send(settings, &batch->courier->arena, batch->messages,
			batch->count, was_told, batch);
	alarm(0);
	/* what is out must not be given back */
	if (settle_unsettled(batch->courier))
		batch_release(batch);
}

bool courier_turn(struct courier *courier)
{
	struct batch batch = { .courier = courier, .claim = uuid_random() };
	bool claimed = settle_unsettled(courier) && claim(&batch);
	if (claimed)
		deliver(&batch);
	bool more = claimed && batch.rows.count == COURIER_BATCH && !must_stop();
	arena_reset(&courier->arena); /* tokens and messages were in it */
	return more;
}

int64_t courier_due(struct courier *courier)
{
	struct rows rows;
	int64_t due = -1;
	if (store_run(courier->store, &courier->arena, STATEMENT_OUTBOX_NEXT, NULL, 0, &rows) ==
			STORE_ROWS &&
		!rows_is_null(&rows, 0, 0)) {
		due = rows_integer(&rows, 0, 0);
		/* what is due and was not claimed is being claimed by another courier */
		due = due < BUSY_MS ? BUSY_MS : due;
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
		signals_reopen_log(courier->log, courier->settings->log_target);
		if (store_socket(courier->store) < 0 || listening != courier->store->connections)
			listening = store_listen(courier->store, "latchkey_outbox")
					    ? courier->store->connections
					    : 0;
		int64_t purge_in;
		bool more;
		do { /* a flood of mails does not keep from purging */
			more = courier_turn(courier);
			purge_in = janitor_purge_when_due(&courier->janitor);
		} while (more);
		int64_t idle = store_socket(courier->store) < 0 ? 500 : idle_time(courier);
		/* a notification may have come in with an answer */
		if (!store_notified(courier->store))
			rest(courier, idle < purge_in ? idle : purge_in, &waiting);
	}
	if (!settle_unsettled(courier))
		log_warning(courier->log, "mail_unsettled",
			"mails=%zu are out, but the database is away: they may arrive twice",
			courier->unsettled_count);
	return 0;
}
