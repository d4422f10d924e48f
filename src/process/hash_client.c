/* SPDX-License-Identifier: MIT */
/*
 * A hash depends on nothing but its job, so a job may be sent twice. Jobs are taken in the order in
 * which a worker sends them. When a hasher begins in a dead one's place, the job that the dead one had
 * said to have taken is sent again; and behind those that nobody has taken yet a mark is sent, for
 * the dead one may have died before it could say so: what is older than the mark and not taken when
 * the mark comes back is lost, and sent again.
 */
#include "process/hash_client.h"

#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/secret.h"

#define PATIENCE_MS 2000 /* until a hash is begun */
#define ANSWER_MS 250 /* more, until a hasher has said so */
#define COMPUTING_MS 10000 /* a hasher that needs longer has been stopped by somebody */
#define TRIES 3 /* a job that kills its hashers is not sent for ever */
#define KIB_IN_MICROSECOND 3 /* until the first hash has shown how fast they are */
#define NOBODY UINT32_MAX

/* On the stack of the task that waits. */
struct hash_call {
	uint32_t id; /* another each time it is sent */
	const struct hash_order *order;
	unsigned char *hash;
	void *who;
	uint32_t hasher; /* that has taken it, or NOBODY */
	unsigned tries;
	int64_t begin_before; /* monotonic ms */
	enum hash_result result;
	bool done;
	struct hash_call *next;
};

static bool send_job(struct hash_client *client, const struct hash_job *job)
{
	return send(client->channel->jobs_in, job, sizeof(*job), MSG_DONTWAIT | MSG_NOSIGNAL) ==
	       sizeof(*job);
}

static bool send_call(struct hash_client *client, struct hash_call *call)
{
	const struct hash_order *order = call->order;
	struct hash_job job = { .id = ++client->last_id,
		.worker = client->number,
		.client = client->identity,
		.memory = order->memory,
		.passes = order->passes,
		.lanes = order->lanes,
		.pace_memory = order->pace_memory,
		.pace_passes = order->pace_passes,
		.salt_size = (uint16_t)order->salt_size,
		.hash_size = (uint16_t)order->hash_size,
		.password_size = (uint16_t)order->password.length,
		.begin_before = call->begin_before };
	memcpy(job.salt, order->salt, order->salt_size);
	if (order->password.length > 0)
		memcpy(job.password, order->password.at, order->password.length);
	call->id = job.id;
	call->hasher = NOBODY;
	bool sent = ++call->tries <= TRIES && send_job(client, &job);
	secret_cleanse(&job, sizeof(job));
	return sent;
}

static void finish(struct hash_client *client, struct hash_call *call, enum hash_result result)
{
	call->result = result;
	call->done = true;
	client->waiter.wake(client->waiter.context, call->who);
}

static void send_again(struct hash_client *client, struct hash_call *call)
{
	call->begin_before = clock_monotonic_ms() + PATIENCE_MS;
	if (!send_call(client, call))
		finish(client, call, call->tries > TRIES ? HASH_FAILED : HASH_BUSY);
}

/* What its predecessor had said to have taken, and a mark for what it had taken without a word. */
static void hasher_started(struct hash_client *client, uint32_t hasher)
{
	bool untaken = false;
	for (struct hash_call *call = client->calls; call; call = call->next) {
		if (!call->done && call->hasher == hasher)
			send_again(client, call);
		else if (!call->done && call->hasher == NOBODY)
			untaken = true;
	}
	const struct hash_job mark = {
		.id = ++client->last_id, .worker = client->number, .client = client->identity
	};
	if (untaken)
		send_job(client, &mark);
}

static void mark_passed(struct hash_client *client, uint32_t mark)
{
	for (struct hash_call *call = client->calls; call; call = call->next)
		if (!call->done && call->hasher == NOBODY && (int32_t)(call->id - mark) < 0)
			send_again(client, call);
}

static struct hash_call *find(const struct hash_client *client, uint32_t id)
{
	struct hash_call *call = client->calls;
	while (call && (call->id != id || call->done))
		call = call->next;
	return call;
}

static void answered(struct hash_client *client, const struct hash_reply *reply)
{
	struct hash_call *call = find(client, reply->id);
	if (!call)
		return; /* nobody waits for it any more, or it was sent twice */
	switch ((enum hash_said)reply->said) {
	case HASH_SAID_TAKEN:
		call->hasher = reply->hasher;
		break;
	case HASH_SAID_DONE:
		memcpy(call->hash, reply->hash, call->order->hash_size);
		client->microseconds = (7 * client->microseconds + reply->microseconds) / 8;
		finish(client, call, HASH_DONE);
		break;
	case HASH_SAID_LATE:
		finish(client, call, HASH_BUSY);
		break;
	default:
		finish(client, call, HASH_FAILED);
	}
}

static void read_replies(struct watch *watch, uint32_t events)
{
	struct hash_client *client = (struct hash_client *)watch;
	struct hash_reply reply;
	(void)events;
	while (recv(watch->descriptor, &reply, sizeof(reply), MSG_DONTWAIT) == sizeof(reply)) {
		if (reply.said == HASH_SAID_STARTED)
			hasher_started(client, reply.hasher);
		else if (reply.client != client->identity)
			continue; /* the hash of another password, under an id that is ours too */
		else if (reply.said == HASH_SAID_PASSED)
			mark_passed(client, reply.id);
		else
			answered(client, &reply);
	}
	secret_cleanse(&reply, sizeof(reply));
}

/* Whether all who wait, of all workers, are in somebody's hands soon enough. */
static bool is_in_time(const struct hash_client *client)
{
	const struct hash_channel *channel = client->channel;
	int held = 0;
	if (ioctl(channel->jobs_in, SIOCOUTQ, &held) != 0)
		return false;
	int64_t waiting = held / channel->weight;
	return waiting * client->microseconds / channel->hashers < PATIENCE_MS * 1000;
}

static void remove_call(struct hash_client *client, struct hash_call *call)
{
	struct hash_call **at = &client->calls;
	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
}

static enum hash_result compute(void *context, const struct hash_order *order, unsigned char *hash)
{
	struct hash_client *client = context;
	const struct waiter *waiter = &client->waiter;
	struct hash_call call = { .order = order,
		.hash = hash,
		.who = waiter->self(waiter->context),
		.begin_before = clock_monotonic_ms() + PATIENCE_MS,
		.result = HASH_BUSY,
		.next = client->calls };
	if (order->salt_size > HASH_SALT_MAXIMUM || order->hash_size > HASH_SIZE_MAXIMUM ||
		order->password.length > HASH_PASSWORD_MAXIMUM)
		return HASH_FAILED;
	if (!is_in_time(client) || !send_call(client, &call))
		return HASH_BUSY;
	client->calls = &call;
	while (!call.done) {
		int64_t patience = call.hasher == NOBODY ? ANSWER_MS : COMPUTING_MS;
		int64_t deadline = call.begin_before + patience;
		if (clock_monotonic_ms() >= deadline)
			break;
		waiter->suspend(waiter->context, deadline);
	}
	remove_call(client, &call);
	return call.result;
}

bool hash_client_init(struct hash_client *client, struct loop *loop,
	const struct hash_channel *channel, unsigned number, int64_t kib)
{
	*client = (struct hash_client){
		.replies = { channel->replies[number].out, read_replies },
		.door = { compute, client },
		.loop = loop,
		.waiter = loop_waiter(loop),
		.channel = channel,
		.number = number,
		.microseconds = kib / KIB_IN_MICROSECOND,
	};
	secret_random(&client->identity, sizeof(client->identity));
	return loop_watch(loop, &client->replies, EPOLLIN);
}

void hash_client_finish(struct hash_client *client)
{
	CHECK(!client->calls);
	if (client->loop)
		loop_unwatch(client->loop, &client->replies);
}
