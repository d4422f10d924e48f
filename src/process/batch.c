/* SPDX-License-Identifier: MIT */
/*
 * Mails under way, and what becomes of each. Only the holder of a claim writes that down: a courier
 * that was too slow must not undo what another has done since.
 */
#include "process/batch.h"

#include <unistd.h>

#include "base/clock.h"

/* A mail is tried again after a quarter of its age, within these bounds (seconds). */
#define RETRY_FIRST 2
#define RETRY_LAST 1800

/*
 * The lease in parts, in seconds. A mail is begun within the first slack of it and has its own time;
 * another slack is for writing down what became of it. Then the alarm ends the process, and one slack
 * later somebody else may have the mails.
 */
static long slack(const struct courier *courier)
{
	return courier->settings->mail_timeout + courier->settings->database_timeout;
}

static long alarm_time(const struct courier *courier)
{
	return DELIVERY_STEPS * courier->settings->mail_timeout + 2 * slack(courier);
}

long batch_lease(const struct courier *courier)
{
	return alarm_time(courier) + slack(courier);
}

const char *batch_id(const struct batch *batch, size_t row)
{
	return text_string(
		&batch->courier->arena, uuid_text(&batch->courier->arena, batch->rows[row].id));
}

/* What became of a mail was written down, or not: where the database is away its lease ends some
 * time. */
static void settled(struct batch *batch, size_t row, enum store_result result)
{
	batch->done[row] = true;
	if (result == STORE_NONE)
		log_warning(batch->courier->log, "mail_lease_lost",
			"id=%s somebody else has it now: it may arrive twice",
			batch_id(batch, row));
}

static void settle_sent(struct batch *batch, size_t row)
{
	struct courier *courier = batch->courier;
	const struct outbox_sent_parameters sent = { batch->rows[row].pk, batch->claim };
	struct outbox_sent_row unused;
	courier->accepted = true;
	log_info(courier->log, "mail_sent", "id=%s letter=%.*s", batch_id(batch, row),
		TEXT_PRINTF(batch->rows[row].letter));
	enum store_result result =
		store_outbox_sent(courier->store, &courier->arena, &sent, &unused);
	settled(batch, row, result);
	if (result == STORE_AWAY || result == STORE_FAILED)
		courier->unsettled[courier->unsettled_count++] = sent;
}

void batch_fail(struct batch *batch, size_t row, const char *reason)
{
	log_error(batch->courier->log, "mail_failed",
		"id=%s letter=%.*s attempts=%lld reason=\"%s\"", batch_id(batch, row),
		TEXT_PRINTF(batch->rows[row].letter), (long long)batch->rows[row].attempts + 1,
		reason);
	const struct outbox_fail_parameters parameters = {
		.pk = batch->rows[row].pk,
		.claim = batch->claim,
		.error = text_of(reason),
	};
	struct outbox_fail_row unused;
	settled(batch, row,
		store_outbox_fail(
			batch->courier->store, &batch->courier->arena, &parameters, &unused));
}

static void settle_retry(struct batch *batch, size_t row, const char *reason)
{
	int64_t age = batch->rows[row].age;
	if (age >= batch->courier->settings->mail_give_up) {
		batch_fail(batch, row, reason);
		return;
	}
	int64_t delay = age / 4;
	delay = delay < RETRY_FIRST ? RETRY_FIRST : delay > RETRY_LAST ? RETRY_LAST : delay;
	log_warning(batch->courier->log, "mail_retry", "id=%s in=%llds reason=\"%s\"",
		batch_id(batch, row), (long long)delay, reason);
	const struct outbox_retry_parameters parameters = {
		.pk = batch->rows[row].pk,
		.claim = batch->claim,
		.delay = delay,
		.error = text_of(reason),
	};
	struct outbox_retry_row unused;
	settled(batch, row,
		store_outbox_retry(
			batch->courier->store, &batch->courier->arena, &parameters, &unused));
}

/* A server that takes nothing from us refuses every mail like this: that is no reason to lose them. */
static void settle_not_permitted(struct batch *batch, size_t row, const char *reason)
{
	if (batch->courier->accepted) {
		batch_fail(batch, row, reason);
		return;
	}
	log_error(batch->courier->log, "mail_not_permitted",
		"the mail server has taken no mail since the settings were loaded, so this one is "
		"kept; see mail.url, mail.from, and what the server takes from this host: "
		"id=%s reason=\"%s\"",
		batch_id(batch, row), reason);
	settle_retry(batch, row, reason);
}

void batch_settle(struct batch *batch, size_t row, const struct delivery_report *report)
{
	switch (report->delivery) {
	case DELIVERY_SENT:
		settle_sent(batch, row);
		break;
	case DELIVERY_REFUSED:
		batch_fail(batch, row, report->reason);
		break;
	case DELIVERY_NOT_PERMITTED:
		settle_not_permitted(batch, row, report->reason);
		break;
	case DELIVERY_RETRY:
		settle_retry(batch, row, report->reason);
		break;
	}
}

/* How many mails nothing has become of. */
static int64_t rest_of(const struct batch *batch)
{
	int64_t rest = 0;
	for (size_t row = 0; row < batch->row_count; row++)
		rest += !batch->done[row];
	return rest;
}

/* Begins the lease of the rest anew. False where it is not wholly ours any more. */
static bool renew(struct batch *batch)
{
	struct courier *courier = batch->courier;
	int64_t now = clock_monotonic_ms();
	const struct outbox_renew_parameters parameters = { batch->claim, batch_lease(courier) };
	struct outbox_renew_row row;
	/* those that are out and whose rows are still there count too */
	if (store_outbox_renew(courier->store, &courier->arena, &parameters, &row) != STORE_ROWS ||
		row.renewed < rest_of(batch))
		return false;
	batch->leased_at = now;
	batch_watch(batch);
	return true;
}

bool batch_is_held(struct batch *batch)
{
	int64_t elapsed = clock_monotonic_ms() - batch->leased_at;
	return elapsed <= slack(batch->courier) * 1000 || rest_of(batch) == 0 || renew(batch);
}

void batch_watch(const struct batch *batch)
{
	int64_t elapsed = clock_monotonic_ms() - batch->leased_at;
	int64_t left = alarm_time(batch->courier) - elapsed / 1000;
	alarm(left > 1 ? (unsigned)left : 1);
}

void batch_release(struct batch *batch)
{
	struct courier *courier = batch->courier;
	const struct outbox_release_parameters parameters = { batch->claim };
	if (rest_of(batch) > 0 &&
		store_outbox_release(courier->store, &courier->arena, &parameters) != STORE_NONE)
		log_warning(courier->log, "mail_lease_kept",
			"mails=%lld could not be given back: they wait until their lease ends",
			(long long)rest_of(batch));
}
