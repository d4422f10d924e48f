/* SPDX-License-Identifier: MIT */
/* Statements in the order in which they were sent, which is the order of their answers. */
#include "store/pipeline.h"

#include <libpq-fe.h>
#include <poll.h>

#include "base/clock.h"
#include "store/wire.h"

static bool is_shared(const struct store *store)
{
	return store->waiter.suspend != NULL;
}

bool pending_submit(struct store *store, struct pending *pending, const char *name)
{
	*pending = (struct pending){ .name = name, .deadline = wire_deadline(store) };
	if (is_shared(store))
		pending->who = store->waiter.self(store->waiter.context);
	/* before anybody else runs: the order here is the order of the answers */
	if (store->last)
		store->last->next = pending;
	else
		store->first = pending;
	store->last = pending;
	/* each ends its own transaction, which also sends it off */
	if (PQpipelineSync(store->connection) && wire_flush(store, pending->deadline))
		return true;
	if (!pending->done)
		pipeline_lose(store, name);
	return false;
}

void pending_await(struct store *store, struct pending *pending)
{
	const struct waiter *waiter = &store->waiter;
	while (!pending->done) {
		bool in_time;
		if (is_shared(store)) {
			in_time = waiter->suspend(waiter->context, pending->deadline);
		} else {
			in_time = waiter->wait(waiter->context, PQsocket(store->connection), POLLIN,
				pending->deadline);
			pipeline_read(store);
		}
		if (!in_time && !pending->done)
			pipeline_lose(store, pending->name);
	}
}

static void end_first(struct store *store)
{
	struct pending *pending = store->first;
	store->first = pending->next;
	if (!store->first)
		store->last = NULL;
	pending->done = true;
	if (pending->who)
		store->waiter.wake(store->waiter.context, pending->who);
}

void pipeline_close(struct store *store)
{
	while (store->first) {
		PQclear(store->first->result);
		store->first->result = NULL;
		end_first(store);
	}
	wire_close(store);
}

void pipeline_lose(struct store *store, const char *what)
{
	wire_log(store, what);
	pipeline_close(store);
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

void pipeline_read(struct store *store)
{
	if (!store->connection)
		return;
	bool alive = PQconsumeInput(store->connection) != 0;
	bool nothing = false;
	while (alive && store->first && !PQisBusy(store->connection))
		alive = take_one(store, &nothing);
	store->used_at = clock_monotonic_ms();
	if (!alive || PQstatus(store->connection) != CONNECTION_OK)
		pipeline_lose(store, store->first ? store->first->name : "idle");
}
