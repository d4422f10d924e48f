/* SPDX-License-Identifier: MIT */
/* Socket pairs that keep the bounds of messages, so that a job is taken as a whole or not at all. */
#include "process/hash_channel.h"

#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* So many may wait for each hasher; what is asked for in time (hash_client.c) is fewer. */
#define WAITING_PER_HASHER 256

static bool open_pair(int *in, int *out)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
		return false;
	*in = ends[0];
	*out = ends[1];
	return true;
}

/* The kernel counts the message and its own two structures around it. */
static bool weigh(struct hash_channel *channel)
{
	struct hash_job job = { 0 };
	return send(channel->jobs_in, &job, sizeof(job), MSG_NOSIGNAL) == sizeof(job) &&
	       ioctl(channel->jobs_in, SIOCOUTQ, &channel->weight) == 0 &&
	       recv(channel->jobs_out, &job, sizeof(job), 0) == sizeof(job) && channel->weight > 0;
}

bool hash_channel_open(struct hash_channel *channel, unsigned workers, unsigned hashers)
{
	*channel = (struct hash_channel){ .jobs_in = -1, .jobs_out = -1, .hashers = hashers };
	channel->replies = calloc(workers, sizeof(*channel->replies));
	if (!channel->replies || !open_pair(&channel->jobs_in, &channel->jobs_out) ||
		!weigh(channel))
		return false;
	/* the kernel allows twice what is set, up to net.core.wmem_max */
	int room = channel->weight * WAITING_PER_HASHER / 2 * (int)hashers;
	setsockopt(channel->jobs_in, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	for (; channel->workers < workers; channel->workers++) {
		struct hash_replies *replies = &channel->replies[channel->workers];
		if (!open_pair(&replies->in, &replies->out))
			return false;
	}
	return true;
}

static void close_one(int *descriptor)
{
	if (*descriptor >= 0)
		close(*descriptor);
	*descriptor = -1;
}

void hash_channel_keep_worker(struct hash_channel *channel, unsigned number)
{
	close_one(&channel->jobs_out);
	for (unsigned i = 0; i < channel->workers; i++) {
		close_one(&channel->replies[i].in);
		if (i != number)
			close_one(&channel->replies[i].out);
	}
}

void hash_channel_keep_hasher(struct hash_channel *channel)
{
	close_one(&channel->jobs_in);
	for (unsigned i = 0; i < channel->workers; i++)
		close_one(&channel->replies[i].out);
}

void hash_channel_close(struct hash_channel *channel)
{
	if (!channel->replies)
		return;
	close_one(&channel->jobs_in);
	close_one(&channel->jobs_out);
	for (unsigned i = 0; i < channel->workers; i++) {
		close_one(&channel->replies[i].in);
		close_one(&channel->replies[i].out);
	}
	free(channel->replies);
	memset(channel, 0, sizeof(*channel));
}
