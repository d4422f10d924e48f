/* SPDX-License-Identifier: MIT */
#include "store/pipeline.h"

#include <libpq-fe.h>
#include <poll.h>

#include "base/clock.h"
#include "store/row.h"

void store_share(struct store *store, store_pause *pause, void *context)
{
	store->pause = pause;
	store->pause_context = context;
}

int64_t store_due(const struct store *store)
{
	if (!store->first)
		return -1;
	return store->unread ? 0 : store->first->deadline;
}

bool turn_take(struct store *store, struct turn *turn, const char *name)
{
	*turn = (struct turn){ .name = name, .deadline = store_deadline(store) };
	/* each ends its own transaction, which also sends it off */
	if (!PQpipelineSync(store->connection) || !store_flush(store, turn->deadline))
		return false;
	if (store->last)
		store->last->next = turn;
	else
		store->first = turn;
	store->last = turn;
	return true;
}

void turn_wait(struct store *store, struct turn *turn)
{
	if (store->pause)
		store->pause(store->pause_context, &turn->over);
	while (!turn->over) {
		(void)!store_wait(store, POLLIN, turn->deadline); /* store_read() knows the time */
		store_read(store);
	}
}

static void end_first(struct store *store)
{
	struct turn *turn = store->first;
	store->first = turn->next;
	if (!store->first)
		store->last = NULL;
	turn->over = true;
}

void turns_lose(struct store *store)
{
	while (store->first) {
		PQclear(store->first->result);
		store->first->result = NULL;
		end_first(store);
	}
}

/* One thing that libpq has ready. False: the order of things is lost, which must not happen. */
static bool take_one(struct store *store, bool *nothing)
{
	PGresult *result = PQgetResult(store->connection);
	bool twice = *nothing;
	*nothing = !result;
	if (!result)
		return !twice; /* between a statement and its end */
	if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
		PQclear(result);
		end_first(store);
	} else {
		PQclear(store->first->result);
		store->first->result = result;
	}
	return true;
}

void store_read(struct store *store)
{
	if (!store->connection)
		return;
	store->unread = false;
	bool alive = PQconsumeInput(store->connection) != 0;
	bool nothing = false;
	while (alive && store->first && !PQisBusy(store->connection))
		alive = take_one(store, &nothing);
	const char *waiting = store->first ? store->first->name : "idle";
	store->used_at = clock_monotonic_ms();
	if (!alive || PQstatus(store->connection) != CONNECTION_OK ||
		(store->first && store->used_at >= store->first->deadline))
		store_lose(store, waiting);
}
