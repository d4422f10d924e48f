/* SPDX-License-Identifier: MIT */
/*
 * SCM_RIGHTS over a socket pair (unix(7)). A web server that has written a request to an idle
 * connection in the moment of a reload gets its answer: the octets travel with the socket.
 */
#include "process/handoff.h"

#include <stdalign.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool handoff_open(struct handoff *handoff)
{
	int ends[2];
	*handoff = (struct handoff){ -1, -1 };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
		return false;
	*handoff = (struct handoff){ ends[0], ends[1] };
	return true;
}

void handoff_close(struct handoff *handoff)
{
	if (handoff->in >= 0)
		close(handoff->in);
	if (handoff->out >= 0)
		close(handoff->out);
	*handoff = (struct handoff){ -1, -1 };
}

/* Room for one descriptor (cmsg(3)), and for the octet that every message has. */
struct envelope {
	char octet;
	struct iovec data;
	alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
};

static struct msghdr message_of(struct envelope *envelope)
{
	*envelope = (struct envelope){ .octet = 0 };
	envelope->data = (struct iovec){ &envelope->octet, 1 };
	return (struct msghdr){ .msg_iov = &envelope->data,
		.msg_iovlen = 1,
		.msg_control = envelope->control,
		.msg_controllen = sizeof(envelope->control) };
}

bool handoff_put(const struct handoff *handoff, int connection)
{
	struct envelope envelope;
	struct msghdr message = message_of(&envelope);
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(connection));
	memcpy(CMSG_DATA(header), &connection, sizeof(connection));
	if (sendmsg(handoff->in, &message, MSG_DONTWAIT | MSG_NOSIGNAL) != 1)
		return false;
	close(connection);
	return true;
}

int handoff_take(const struct handoff *handoff)
{
	struct envelope envelope;
	struct msghdr message = message_of(&envelope);
	int connection;
	if (recvmsg(handoff->out, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1)
		return -1;
	const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_RIGHTS)
		return -1; /* no descriptor was left in this process */
	memcpy(&connection, CMSG_DATA(header), sizeof(connection));
	return connection;
}
