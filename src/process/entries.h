/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_ENTRIES_H
#define LATCHKEY_PROCESS_ENTRIES_H

#include <stdbool.h>
#include <stdint.h>

#include "process/loop.h"

/* The table of connections.c: what is known of each connection, and who has been silent for how long. */

struct connections;

enum entry_state {
	ENTRY_FREE,
	ENTRY_NEW, /* has not said anything yet */
	ENTRY_IDLE, /* kept, between requests */
	ENTRY_SERVED, /* a task has it */
};

struct entry {
	struct watch watch; /* must be the first */
	struct connections *connections;
	enum entry_state state;
	bool watched;
	bool readable; /* there may be more to read, of which nobody will tell */
	bool ending; /* the peer sends no more */
	void *waiting; /* the task that waits for the peer, or NULL */
	int64_t since; /* monotonic ms, of its state */
	struct entry *before; /* in the list of its state; ENTRY_FREE: next alone */
	struct entry *next;
};

struct entries {
	unsigned maximum;
	unsigned used; /* that were ever used: the rest of the table was never touched */
	struct entry *free;
	/* of ENTRY_NEW and ENTRY_IDLE: the one that has been there longest comes first */
	struct entry_list {
		struct entry *first;
		struct entry *last;
	} lists[ENTRY_SERVED];
	struct entry *table;
};

/* False: no memory. */
__attribute__((warn_unused_result)) bool entries_init(struct entries *entries, unsigned maximum);
void entries_finish(struct entries *entries);

bool entries_are_full(const struct entries *entries);

/* A free entry, all zero but for its state's list; NULL: the table is full. */
struct entry *entries_take(struct entries *entries);

/* Now, and on the lists as that says. ENTRY_FREE: it may be taken again. */
void entries_set(struct entries *entries, struct entry *entry, enum entry_state state);

/* The one that has been in that state (ENTRY_NEW or ENTRY_IDLE) longest, or NULL. */
struct entry *entries_oldest(const struct entries *entries, enum entry_state state);

#endif
