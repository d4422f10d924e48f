/* SPDX-License-Identifier: MIT */
/* Entries are taken from the start of the table, so that a table for thousands costs what is used of it. */
#include "process/entries.h"

#include <stdlib.h>

#include "base/clock.h"

bool entries_init(struct entries *entries, unsigned maximum)
{
	*entries = (struct entries){ .maximum = maximum };
	entries->table = calloc(maximum, sizeof(entries->table[0]));
	return entries->table != NULL;
}

void entries_finish(struct entries *entries)
{
	free(entries->table);
	*entries = (struct entries){ .maximum = 0 };
}

bool entries_are_full(const struct entries *entries)
{
	return !entries->free && entries->used == entries->maximum;
}

struct entry *entries_take(struct entries *entries)
{
	struct entry *entry = entries->free;
	if (entry)
		entries->free = entry->next;
	else if (entries->used < entries->maximum)
		entry = &entries->table[entries->used++];
	if (entry)
		*entry = (struct entry){ .state = ENTRY_FREE };
	return entry;
}

static bool is_listed(const struct entry *entry)
{
	return entry->state == ENTRY_NEW || entry->state == ENTRY_IDLE;
}

static void list_add(struct entry_list *list, struct entry *entry)
{
	entry->next = NULL;
	entry->before = list->last;
	if (list->last)
		list->last->next = entry;
	else
		list->first = entry;
	list->last = entry;
}

static void list_remove(struct entry_list *list, struct entry *entry)
{
	if (entry->before)
		entry->before->next = entry->next;
	else
		list->first = entry->next;
	if (entry->next)
		entry->next->before = entry->before;
	else
		list->last = entry->before;
}

void entries_set(struct entries *entries, struct entry *entry, enum entry_state state)
{
	if (is_listed(entry))
		list_remove(&entries->lists[entry->state], entry);
	entry->state = state;
	entry->since = clock_monotonic_ms();
	if (is_listed(entry)) {
		list_add(&entries->lists[state], entry);
	} else if (state == ENTRY_FREE) {
		entry->next = entries->free;
		entries->free = entry;
	}
}

struct entry *entries_oldest(const struct entries *entries, enum entry_state state)
{
	return entries->lists[state].first;
}
