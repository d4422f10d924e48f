/* SPDX-License-Identifier: MIT */
/*
 * The one room that knows libesmtp. It reports success where there was none and forgets what it
 * does not say, so nothing is believed here but the status that the server gave to a message.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
/* after those above, on which its declarations depend */
#include <auth-client.h>
#include <libesmtp.h>

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

static int tls_mode(const struct delivery_batch *batch)
{
	/* credentials must not go out in the clear because somebody took STARTTLS away */
	return batch->url.user ? TLS_REQUIRED : batch->settings->mail_tls;
}

/* Certificate and host name are checked where TLS is required; where it is opportunistic, any
 * encryption is better than none (RFC 7435). */
static SSL_CTX *tls_context(const struct delivery_batch *batch)
{
	const char *ca_file = batch->settings->mail_ca_file;
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	/* libesmtp takes the session tickets of TLS 1.3 for an answer, and waits until its time-out */
	if (!context || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
		SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION) != 1)
		goto fail;
	SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
	if (tls_mode(batch) != TLS_REQUIRED)
		return context;
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	if ((ca_file[0] ? SSL_CTX_load_verify_locations(context, ca_file, NULL)
			: SSL_CTX_set_default_verify_paths(context)) != 1)
		goto fail;
	X509_VERIFY_PARAM *parameters = SSL_CTX_get0_param(context);
	if (X509_VERIFY_PARAM_set1_ip_asc(parameters, batch->url.host) != 1 &&
		X509_VERIFY_PARAM_set1_host(parameters, batch->url.host, 0) != 1)
		goto fail;
	ERR_clear_error();
	return context;
fail:
	SSL_CTX_free(context);
	return NULL;
}

static bool add_message(struct delivery_batch *batch, smtp_session_t session, size_t i)
{
	const struct message *message = &batch->messages[i];
	struct content *content = arena_alloc(batch->arena, sizeof(*content));
	smtp_message_t handle = smtp_add_message(session);
	content->text = message->content;
	if (!handle || !smtp_set_reverse_path(handle, text_string(batch->arena, message->sender)) ||
		!smtp_set_messagecb(handle, give_content, content) ||
		!smtp_8bitmime_set_body(handle, E8bitmime_8BITMIME))
		return false;
	batch->handles[i] = handle;
	batch->recipients[i] =
		smtp_add_recipient(handle, text_string(batch->arena, message->recipient));
	return batch->recipients[i] != NULL;
}

static void refuse_unsafe(struct delivery_batch *batch, size_t i)
{
	batch->reports[i] =
		(struct delivery_report){ DELIVERY_REFUSED, "the address is not safe to send" };
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
	return text_string(batch->arena, text_after(sender, text_find(sender, '@') + 1));
}

static bool prepare(
	struct delivery_batch *batch, smtp_session_t session, auth_context_t auth, SSL_CTX *tls)
{
	const char *server = arena_format(batch->arena, "%s:%s", batch->url.host, batch->url.port);
	enum starttls_option starttls = tls_mode(batch) == TLS_REQUIRED        ? Starttls_REQUIRED
					: tls_mode(batch) == TLS_OPPORTUNISTIC ? Starttls_ENABLED
									       : Starttls_DISABLED;
	if (!smtp_set_server(session, server) || !smtp_set_hostname(session, own_name(batch)) ||
		!smtp_starttls_enable(session, starttls) || !smtp_starttls_set_ctx(session, tls) ||
		!set_time_outs(session, batch->settings->mail_timeout * 1000))
		return false;
	if (batch->url.user) {
		auth_set_mechanism_flags(auth, AUTH_PLUGIN_PLAIN, 0);
		auth_set_interact_cb(auth, give_credentials, &batch->url);
		if (!smtp_auth_set_context(session, auth))
			return false;
	}
	for (size_t i = 0; i < batch->count; i++) {
		if (!address_is_safe(batch->messages[i].recipient) ||
			!address_is_safe(batch->messages[i].sender))
			refuse_unsafe(batch, i);
		else if (!add_message(batch, session, i))
			return false;
	}
	return true;
}

/* Answers that speak of us and not of the message: with other credentials, or later, it may go. */
static bool is_about_login(int code)
{
	return code == 530 || code == 534 || code == 535 || code == 538;
}

/* One line, printable, and not longer than a line of a log. */
static const char *printable(struct arena *arena, int code, const char *text)
{
	char *line = arena_format(arena, "%d %.200s", code, text ? text : "");
	for (char *at = line; *at; at++)
		if ((unsigned char)*at < 0x20 || (unsigned char)*at >= 0x7f)
			*at = ' ';
	return text_string(arena, text_trim(text_of(line)));
}

static struct delivery_report report(struct delivery_batch *batch, size_t i, const char *otherwise)
{
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
		if (code == 0)
			return (struct delivery_report){ DELIVERY_RETRY, otherwise };
		bool final = code / 100 == 5 && !is_about_login(code);
		return (struct delivery_report){ final ? DELIVERY_REFUSED : DELIVERY_RETRY,
			printable(batch->arena, code, statuses[k]->text) };
	}
	return (struct delivery_report){ DELIVERY_SENT, "" };
}

static const char *last_error(struct arena *arena)
{
	char buffer[256] = "";
	const char *text = smtp_strerror(smtp_errno(), buffer, sizeof(buffer));
	return arena_format(arena, "the mail server did not take it: %s",
		text && text[0] ? text : "the connection or TLS failed");
}

static void send(const struct settings *settings, struct arena *arena,
	const struct message *messages, size_t count, struct delivery_report *reports)
{
	struct delivery_batch batch = { .settings = settings,
		.arena = arena,
		.messages = messages,
		.count = count,
		.reports = reports };
	smtp_session_t session = NULL;
	auth_context_t auth = NULL;
	SSL_CTX *tls = NULL;
	const char *reason = "the mail library cannot start";

	batch.handles = arena_alloc(arena, count * sizeof(*batch.handles));
	batch.recipients = arena_alloc(arena, count * sizeof(*batch.recipients));
	for (size_t i = 0; i < count; i++)
		reports[i] = (struct delivery_report){ DELIVERY_RETRY, reason };
	if (smtp_url_parse(arena, settings->mail_url, &batch.url))
		return;
	auth_client_init(); /* never undone: what its counterpart unloads is used again */
	session = smtp_create_session();
	auth = auth_create_context();
	tls = tls_context(&batch);
	if (!session || !auth || !tls || !prepare(&batch, session, auth, tls))
		goto out;
	smtp_start_session(session);
	reason = last_error(arena);
	for (size_t i = 0; i < count; i++)
		if (batch.handles[i])
			reports[i] = report(&batch, i, reason);
out:
	if (session)
		smtp_destroy_session(session);
	if (auth)
		auth_destroy_context(auth);
	SSL_CTX_free(tls);
	ERR_clear_error();
}

static const char *check(const struct settings *settings, struct arena *arena)
{
	struct smtp_url url;
	if (settings->mail_url[0] == '\0')
		return "mail.url is not set: smtp://[user[:password]@]host[:port]";
	return smtp_url_parse(arena, settings->mail_url, &url);
}

const struct transport transport_smtp = {
	.name = "smtp",
	.check = check,
	.send = send,
};
