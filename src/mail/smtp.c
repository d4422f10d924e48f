/* SPDX-License-Identifier: MIT */
/*
 * Sends by libesmtp. It reports success where there was none, so nothing is believed but the status
 * that the server gave to a message; what else is to be known, mail/smtp_dialogue.h has heard.
 */
#include <stdint.h>

#include <openssl/err.h>

#include "mail/smtp_dialogue.h"
#include "mail/smtp_url.h"
#include "mail/transport.h"

/* One batch on its way. */
struct delivery_batch {
	const struct settings *settings;
	struct arena *arena;
	struct smtp_url url;
	const struct message *messages;
	size_t count;
	struct delivery_report *reports;
	smtp_message_t *handles; /* NULL for a message that is not sent */
	smtp_recipient_t *recipients;
	struct smtp_dialogue dialogue;
};

/* The text of a message, which libesmtp asks for piece by piece; there is one. */
struct content {
	struct text text;
	bool given;
};

static const char *give_content(void **context, int *length, void *argument)
{
	(void)context;
	struct content *content = argument;
	if (!length) { /* from the start again */
		content->given = false;
		return NULL;
	}
	*length = content->given ? 0 : (int)content->text.length;
	const char *text = content->given ? NULL : content->text.at;
	content->given = true;
	return text;
}

/* The result is freed by nobody: the URL outlives the session. */
static int give_credentials(
	auth_client_request_t request, char **result, int fields, void *argument)
{
	const struct smtp_url *url = argument;
	for (int i = 0; i < fields; i++)
		result[i] = (char *)(uintptr_t)(request[i].flags & AUTH_PASS   ? url->password
						: request[i].flags & AUTH_USER ? url->user
									       : "");
	return 1;
}

static bool add_message(struct delivery_batch *batch, smtp_session_t session, size_t i)
{
	const struct message *message = &batch->messages[i];
	struct content *content = arena_alloc(batch->arena, sizeof(*content));
	smtp_message_t handle = smtp_add_message(session);
	content->text = message->content;
	if (!handle || !smtp_set_reverse_path(handle, text_string(batch->arena, message->sender)) ||
		!smtp_set_messagecb(handle, give_content, content))
		return false;
	batch->handles[i] = handle;
	batch->recipients[i] =
		smtp_add_recipient(handle, text_string(batch->arena, message->recipient));
	return batch->recipients[i] != NULL;
}

static bool add_messages(struct delivery_batch *batch, smtp_session_t session)
{
	for (size_t i = 0; i < batch->count; i++) {
		if (!address_is_safe(batch->messages[i].recipient) ||
			!address_is_safe(batch->messages[i].sender))
			batch->reports[i] = (struct delivery_report){ DELIVERY_REFUSED,
				"the address is not safe to send" };
		else if (!add_message(batch, session, i))
			return false;
	}
	return true;
}

static bool set_time_outs(smtp_session_t session, long milliseconds)
{
	static const int which[] = { Timeout_GREETING, Timeout_ENVELOPE, Timeout_DATA,
		Timeout_TRANSFER, Timeout_DATA2 };
	for (size_t i = 0; i < sizeof(which) / sizeof(which[0]); i++)
		if (smtp_set_timeout(session, which[i] | Timeout_OVERRIDE_RFC2822_MINIMUM,
			    milliseconds) == 0)
			return false;
	return true;
}

/* The name that EHLO gives: the host of the sender's address, which is ours. */
static const char *own_name(const struct delivery_batch *batch)
{
	struct text sender = batch->messages[0].sender;
	if (!address_is_safe(sender))
		return "localhost";
	return text_string(batch->arena, text_after(sender, text_find(sender, '@') + 1));
}

static bool prepare(
	struct delivery_batch *batch, smtp_session_t session, auth_context_t auth, SSL_CTX *tls)
{
	const char *server = arena_format(batch->arena, "%s:%s", batch->url.host, batch->url.port);
	if (!smtp_set_server(session, server) || !smtp_set_hostname(session, own_name(batch)) ||
		!smtp_dialogue_attach(&batch->dialogue, session, tls) ||
		!set_time_outs(session, batch->settings->mail_timeout * 1000))
		return false;
	if (batch->url.user) {
		auth_set_mechanism_flags(auth, AUTH_PLUGIN_PLAIN, 0);
		auth_set_interact_cb(auth, give_credentials, &batch->url);
		if (!smtp_auth_set_context(session, auth))
			return false;
	}
	return add_messages(batch, session);
}

/* 5xx is final for a recipient and for a text. For a sender it speaks of us, as answers about the
 * log-in do: once that has been set right the mail may go. */
static bool is_final(int code, bool of_sender)
{
	bool of_login = code == 530 || code == 534 || code == 535 || code == 538;
	return code / 100 == 5 && !of_sender && !of_login;
}

static struct delivery_report report(struct delivery_batch *batch, size_t i, const char *otherwise)
{
	if (batch->dialogue.cut)
		return (struct delivery_report){ DELIVERY_RETRY, otherwise };
	/* in the order of the dialogue: the first answer that is no success decides */
	const smtp_status_t *statuses[] = {
		smtp_reverse_path_status(batch->handles[i]),
		smtp_recipient_status(batch->recipients[i]),
		smtp_message_transfer_status(batch->handles[i]),
	};
	for (size_t k = 0; k < 3; k++) {
		int code = statuses[k] ? statuses[k]->code : 0;
		if (code / 100 == 2)
			continue;
		if (code < 400) /* a 354 stays where the text was never answered */
			return (struct delivery_report){ DELIVERY_RETRY, otherwise };
		const char *text = statuses[k]->text ? statuses[k]->text : "";
		return (struct delivery_report){
			is_final(code, k == 0) ? DELIVERY_REFUSED : DELIVERY_RETRY,
			delivery_line(batch->arena, arena_format(batch->arena, "%d %s", code, text))
		};
	}
	return (struct delivery_report){ DELIVERY_SENT, "" };
}

/* One session with the server. */
static void converse(struct delivery_batch *batch)
{
	SSL_CTX *tls = smtp_dialogue_tls(&batch->dialogue, batch->settings->mail_ca_file,
		batch->url.host, batch->dialogue.tls);
	const char *reason = tls ? "the mail library cannot start" : "mail.ca_file cannot be used";
	smtp_session_t session = smtp_create_session();
	auth_context_t auth = auth_create_context();

	for (size_t i = 0; i < batch->count; i++)
		batch->reports[i] = (struct delivery_report){ DELIVERY_RETRY, reason };
	if (!session || !auth || !tls || !prepare(batch, session, auth, tls))
		goto out;
	smtp_start_session(session);
	reason = smtp_dialogue_reason(batch->arena, &batch->dialogue);
	for (size_t i = 0; i < batch->count; i++)
		if (batch->handles[i])
			batch->reports[i] = report(batch, i, reason);
out:
	if (session)
		smtp_destroy_session(session);
	if (auth)
		auth_destroy_context(auth);
	SSL_CTX_free(tls);
	ERR_clear_error();
}

static void send(const struct settings *settings, struct arena *arena,
	const struct message *messages, size_t count, struct delivery_report *reports)
{
	struct delivery_batch batch = { .settings = settings,
		.arena = arena,
		.messages = messages,
		.count = count,
		.reports = reports };
	const char *wrong = smtp_url_parse(arena, settings->mail_url, &batch.url);
	for (size_t i = 0; i < count; i++)
		reports[i] = (struct delivery_report){ DELIVERY_RETRY, wrong };
	if (wrong || count == 0)
		return;
	/* credentials must not go out in the clear because somebody took STARTTLS away */
	batch.dialogue.login = batch.url.user != NULL;
	batch.dialogue.tls = batch.url.user ? TLS_REQUIRED : settings->mail_tls;
	batch.handles = arena_alloc(arena, count * sizeof(*batch.handles));
	batch.recipients = arena_alloc(arena, count * sizeof(*batch.recipients));
	auth_client_init(); /* never undone: what its counterpart unloads is used again */
	converse(&batch);
}

static const char *check(const struct settings *settings, struct arena *arena)
{
	struct smtp_url url;
	if (settings->mail_url[0] == '\0')
		return "mail.url is not set: smtp://[user[:password]@]host[:port]";
	const char *wrong = smtp_url_parse(arena, settings->mail_url, &url);
	if (wrong || settings->mail_ca_file[0] == '\0')
		return wrong;
	SSL_CTX *tls = smtp_dialogue_tls(NULL, settings->mail_ca_file, url.host, TLS_REQUIRED);
	if (!tls)
		wrong = arena_format(arena, "mail.ca_file: %s is no PEM file of certificates",
			settings->mail_ca_file);
	SSL_CTX_free(tls);
	return wrong;
}

const struct transport transport_smtp = {
	.name = "smtp",
	.check = check,
	.send = send,
};
