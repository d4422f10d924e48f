/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_STORE_HOSTS_H
#define LATCHKEY_STORE_HOSTS_H

/* The hosts of a libpq connection string. */

/* How many it names; 1 where it names none, or cannot be read. */
unsigned hosts_count(const char *url);

/* PQconnectStart() with the list of hosts turned so that the number-th (from 0) comes first. A PGconn,
 * the caller's, or NULL. Blocks while names are looked up. */
void *hosts_connect(const char *url, unsigned number);

#endif
