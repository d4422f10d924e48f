/* SPDX-License-Identifier: MIT */
#include "process/hands.h"

#include <assert.h>
#include <stdlib.h>

#include "process/desk.h"
#include "process/fiber.h"
#include "store/pipeline.h"

struct hand {
	struct hands *hands;
	struct desk *desk;
	struct fiber *fiber;
	bool full;
	bool hashes;
	int connection;
	const bool *over; /* what it waits for */
};

struct hands {
	hands_kept *kept;
	void *kept_context;
	unsigned count;
	unsigned full;
	struct hand *acting;
	struct hand hands[];
};

static void wait_in_hand(void *context, const bool *over)
{
	struct hands *hands = context;
	struct hand *hand = hands->acting;
	hand->over = over;
	desk_leave(hand->desk);
	fiber_pause(hand->fiber);
	desk_return(hand->desk);
}

static void serve(void *context)
{
	struct hand *hand = context;
	for (;;) {
		int kept = desk_serve(hand->desk, hand->connection, hand->hashes);
		hand->full = false;
		hand->hands->full--;
		if (kept >= 0)
			hand->hands->kept(hand->hands->kept_context, kept);
		fiber_pause(hand->fiber);
	}
}

static void act(struct hand *hand)
{
	hand->hands->acting = hand;
	fiber_resume(hand->fiber);
	hand->hands->acting = NULL;
}

struct hands *hands_open(
	const struct context *context, unsigned count, hands_kept *kept, void *kept_context)
{
	struct hands *hands = calloc(1, sizeof(*hands) + count * sizeof(hands->hands[0]));
	if (!hands)
		return NULL;
	hands->kept = kept;
	hands->kept_context = kept_context;
	for (; hands->count < count; hands->count++) {
		struct hand *hand = &hands->hands[hands->count];
		hand->hands = hands;
		hand->desk = desk_open(context);
		hand->fiber = fiber_open(serve, hand);
		if (!hand->desk || !hand->fiber) {
			hands->count++;
			hands_close(hands);
			return NULL;
		}
	}
	if (count > 1)
		store_share(context->store, wait_in_hand, hands);
	return hands;
}

void hands_close(struct hands *hands)
{
	if (!hands)
		return;
	for (struct hand *hand = hands->hands; hand < hands->hands + hands->count; hand++) {
		assert(!hand->full);
		fiber_close(hand->fiber);
		desk_close(hand->desk);
	}
	free(hands);
}

unsigned hands_full(const struct hands *hands)
{
	return hands->full;
}

void hands_take(struct hands *hands, int connection, bool hashes)
{
	struct hand *hand = hands->hands;
	while (hand->full)
		hand++;
	assert(hand < hands->hands + hands->count);
	hand->full = true;
	hand->hashes = hashes;
	hand->connection = connection;
	hands->full++;
	act(hand);
}

void hands_go_on(struct hands *hands)
{
	struct hand *hand = hands->hands;
	while (hand < hands->hands + hands->count) {
		if (hand->full && *hand->over) {
			act(hand);
			hand = hands->hands; /* it may have lost the connection, and with it others' turns */
		} else {
			hand++;
		}
	}
}
