/* SPDX-License-Identifier: MIT */
#include "process/queue.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

/* What the kernel counts for one of these messages: its own two structures and the data, 768
 * octets on Linux 6. It doubles the limit that it is given. */
#define MESSAGE_WEIGHT 512

bool queue_open(struct queue *queue, unsigned length)
{
	int ends[2];
	int weight = (int)length * MESSAGE_WEIGHT;
	*queue = (struct queue){ -1, -1 };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
		return false;
	*queue = (struct queue){ ends[0], ends[1] };
	return setsockopt(queue->in, SOL_SOCKET, SO_SNDBUF, &weight, sizeof(weight)) == 0;
}

void queue_close(struct queue *queue)
{
	if (queue->in >= 0)
		close(queue->in);
	if (queue->out >= 0)
		close(queue->out);
	*queue = (struct queue){ -1, -1 };
}

/* Room for one descriptor beside the data (cmsg(3)). */
union passenger {
	char octets[CMSG_SPACE(sizeof(int))];
	struct cmsghdr alignment;
};

static struct msghdr message_of(struct iovec *data, union passenger *passenger)
{
	return (struct msghdr){ .msg_iov = data,
		.msg_iovlen = 1,
		.msg_control = passenger->octets,
		.msg_controllen = sizeof(passenger->octets) };
}

bool queue_put(const struct queue *queue, int connection)
{
	int64_t now = clock_monotonic_ms();
	struct iovec data = { &now, sizeof(now) };
	union passenger passenger = { .octets = { 0 } };
	struct msghdr message = message_of(&data, &passenger);
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(connection));
	memcpy(CMSG_DATA(header), &connection, sizeof(connection));
	if (sendmsg(queue->in, &message, MSG_DONTWAIT | MSG_NOSIGNAL) != sizeof(now))
		return false;
	close(connection);
	return true;
}

bool queue_waits(const struct queue *queue, int64_t before)
{
	int64_t since = 0;
	return recv(queue->out, &since, sizeof(since), MSG_PEEK | MSG_DONTWAIT) == sizeof(since) &&
	       since < before;
}

int queue_take(const struct queue *queue, int64_t *since)
{
	*since = 0;
	struct iovec data = { since, sizeof(*since) };
	union passenger passenger;
	struct msghdr message = message_of(&data, &passenger);
	int connection;
	if (recvmsg(queue->out, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != sizeof(*since))
		return -1;
	const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_RIGHTS)
		return -1; /* no descriptor was left in this process */
	memcpy(&connection, CMSG_DATA(header), sizeof(connection));
	return connection;
}
