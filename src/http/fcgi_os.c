/* SPDX-License-Identifier: MIT */
/*
 * libfcgi calls the functions of its lowest layer (fcgios.h) through the dynamic linker, so those that
 * a program defines are what it uses. These wait in the loop instead of the kernel, look at each record
 * before libfcgi sees it (records.h), and never close: who has opened a connection closes it. Signal
 * handlers, lingering, file locks and FCGI_WEB_SERVER_ADDRS of the original layer are gone with it.
 * libfcgi must be the shared library: its archive has them all in one object, which would be defined
 * twice.
 */
#include "http/fcgi_os.h"

#include <errno.h>
#include <fcgios.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "base/secret.h"

#define VISIBLE __attribute__((visibility("default"), used))

/* The functions have no argument for it. */
static struct fcgi_os *current;

void fcgi_os_enter(struct fcgi_os *os)
{
	current = os;
}

/* Others enter meanwhile. */
static bool wait_for_peer(struct fcgi_os *os, short events)
{
	bool ready = os->waiter->wait(os->waiter->context, os->socket, events, os->deadline);
	current = os;
	errno = ready ? errno : ETIMEDOUT;
	return ready;
}

/* Who sends fast enough is never waited for; others get their turn all the same. */
#define READS_AT_A_STRETCH 32

void fcgi_os_yield(struct fcgi_os *os)
{
	if (++os->reads % READS_AT_A_STRETCH == 0 && os->waiter->suspend)
		os->waiter->suspend(os->waiter->context, 0);
	current = os;
}

VISIBLE int OS_LibInit(int descriptors[3])
{
	(void)descriptors;
	return 0;
}

/* One connection, once: then libfcgi gives up and returns. */
VISIBLE int OS_Accept(int listener, int fail_on_interrupt, const char *addresses)
{
	(void)listener;
	(void)fail_on_interrupt;
	(void)addresses;
	if (!current || current->accepted) {
		errno = ECONNABORTED;
		return -1;
	}
	current->accepted = true;
	return current->socket;
}

/* Some octets of the connection: those that the caller has read, else what comes. 0: its end. */
static ssize_t receive(struct fcgi_os *os, char *octets, size_t size)
{
	if (os->ahead.length > 0) {
		size_t count = os->ahead.length < size ? os->ahead.length : size;
		memcpy(octets, os->ahead.at, count);
		os->ahead = text_after(os->ahead, count);
		return (ssize_t)count;
	}
	fcgi_os_yield(os);
	for (;;) {
		ssize_t count = recv(os->socket, octets, size, MSG_DONTWAIT);
		if (count >= 0 || (errno != EAGAIN && errno != EINTR) ||
			(errno == EAGAIN && !wait_for_peer(os, POLLIN)))
			return count;
	}
}

VISIBLE int OS_Read(int descriptor, char *octets, size_t size)
{
	struct fcgi_os *os = current;
	(void)descriptor;
	if (os->records.state != RECORDS_PART)
		return 0; /* the request is over, whatever libfcgi still wants */
	ssize_t count = receive(os, octets, size);
	if (count <= 0)
		return (int)count;
	size_t used = records_take(&os->records, (const unsigned char *)octets, (size_t)count);
	os->buffer_used = octets == os->buffer && os->buffer_used > (size_t)count ? os->buffer_used
										  : (size_t)count;
	os->buffer = octets;
	os->surplus = used < (size_t)count || os->ahead.length > 0;
	if (os->records.state == RECORDS_REFUSED || os->records.state == RECORDS_ABORTED) {
		secret_cleanse(octets, (size_t)count);
		errno = EPROTO;
		return -1;
	}
	return (int)used;
}

/* What was written is wiped: libfcgi does not look at it again, and it may hold tokens. */
VISIBLE int OS_Write(int descriptor, char *octets, size_t size)
{
	struct fcgi_os *os = current;
	(void)descriptor;
	for (;;) {
		ssize_t count = send(os->socket, octets, size, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (count >= 0) {
			secret_cleanse(octets, (size_t)count);
			return (int)count;
		}
		if ((errno != EAGAIN && errno != EINTR) ||
			(errno == EAGAIN && !wait_for_peer(os, POLLOUT)))
			return -1;
	}
}

/* libfcgi begins with closing the connection before, of which there is none. */
VISIBLE int OS_IpcClose(int descriptor, int shutdown)
{
	(void)shutdown;
	current->closed = current->closed || descriptor >= 0;
	return 0;
}
