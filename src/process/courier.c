/* SPDX-License-Identifier: MIT */
/*
 * Mails wait in the outbox until the other side has taken them. A batch of them belongs to this
 * courier until its lease ends, and no transaction is open while they are under way: a courier that
 * dies loses no mail, and several couriers on several hosts share the work without knowing of one
 * another.
 */
#include "process/courier.h"

#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "mail/letter.h"
#include "mail/transport.h"
#include "process/batch.h"
#include "process/signals.h"
#include "tokens/onetime.h"

/* A lost notification, or another host's, is found by looking this often. */
#define LOOK_MS 5000
#define BUSY_MS 1000
#define PERTURBED 0xa5 /* any octet but 0 */

void courier_init(struct courier *courier, const struct settings *settings, const struct log *log,
	const struct keyring *keyring, struct store *store)
{
	memset(courier, 0, sizeof(*courier));
	courier->settings = settings;
	courier->log = log;
	courier->keyring = keyring;
	courier->store = store;
	arena_init(&courier->arena);
#ifdef M_PERTURB
	/* libesmtp frees its buffers with messages in them: the C library overwrites what is freed */
	mallopt(M_PERTURB, PERTURBED);
#endif
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
	struct outbox_sent_row unused;
	while (courier->unsettled_count > 0) {
		enum store_result result = store_outbox_sent(courier->store, &courier->arena,
			&courier->unsettled[courier->unsettled_count - 1], &unused);
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
	const struct outbox_claim_row *mail = &batch->rows[row];
	struct letter letter = {
		.template = mail->letter,
		.id = mail->id,
		.written_at = mail->created_at,
		.recipient = mail->recipient,
		.full_name = mail->full_name,
	};
	struct text bound = text_lower(&courier->arena, letter.recipient);
	if (mail->abandoned && mail->age >= courier->settings->mail_give_up)
		return "each courier that had it ended before it knew what became of it";
	if (mail->expired)
		return "its link expired before it could be sent";
	if (text_is_given(mail->sealed_token) && !onetime_open(&courier->arena, courier->keyring,
							 mail->sealed_token, bound, &letter.token))
		return "its token cannot be opened: the key that sealed it is not in tokens.keys";
	return letter_render(courier->settings, &courier->arena, &letter, message);
}

/* What is needed and can be sent becomes a message. */
static void sort_in(struct batch *batch, size_t row)
{
	struct courier *courier = batch->courier;
	if (!batch->rows[row].needed) {
		batch->done[row] = true;
		log_debug(courier->log, "mail_dropped", "id=%s letter=%.*s", batch_id(batch, row),
			TEXT_PRINTF(batch->rows[row].letter));
		return;
	}
	if (batch->rows[row].abandoned)
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
	const struct outbox_claim_parameters parameters = {
		.count = COURIER_BATCH,
		.claim = batch->claim,
		.lease = batch_lease(courier),
	};
	if (store_outbox_claim(courier->store, &courier->arena, &parameters, &batch->rows,
		    &batch->row_count) != STORE_ROWS)
		return false;
	for (size_t row = 0; row < batch->row_count; row++)
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
	bool more = claimed && batch.row_count == COURIER_BATCH && !must_stop();
	arena_reset(&courier->arena); /* tokens and messages were in it */
	return more;
}

int64_t courier_due(struct courier *courier)
{
	struct outbox_next_row next;
	int64_t due = -1;
	/* what is due and was not claimed is being claimed by another courier */
	if (store_outbox_next(courier->store, &courier->arena, &next) == STORE_ROWS &&
		next.wait >= 0)
		due = next.wait < BUSY_MS ? BUSY_MS : next.wait;
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
