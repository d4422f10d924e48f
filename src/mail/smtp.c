/* SPDX-License-Identifier: MIT */
/*
 * Sends by libesmtp. It reports success where there was none, so nothing is believed but the status
 * that the server gave to a message; what else is to be known, mail/smtp_dialogue.h has heard.
 */
#include <stdint.h>
#include <stdlib.h>

#include <openssl/err.h>

#include "base/clock.h"
#include "mail/smtp_dialogue.h"
#include "mail/smtp_url.h"
#include "mail/transport.h"

#define NO_HOME "/nonexistent"

/* One batch on its way. */
struct delivery_batch {
	const struct settings *settings;
	struct arena *arena;
	struct smtp_url url;
	const struct message *messages;
	size_t count;
	delivery_told *told;
	void *context;
	smtp_message_t *handles; /* NULL for a message that is not sent */
	smtp_recipient_t *recipients;
	bool *over; /* of each message: it was told what became of it */
	struct smtp_dialogue dialogue;
	const char *home; /* what is in the environment but for the library; NULL: nothing */
	const char *configuration;
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
	for (size_t i = 0; i < batch->count; i++)
		if (address_is_safe(batch->messages[i].recipient) &&
			address_is_safe(batch->messages[i].sender) &&
			!add_message(batch, session, i))
			return false;
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

/* The enhanced status (RFC 3463). The library takes it apart only where the server has announced it
 * (RFC 2034), and leaves it in the text otherwise. */
static bool is_not_permitted(const smtp_status_t *status)
{
	struct text text = text_trim(text_of(status->text ? status->text : ""));
	return status->enh_class == 5 ? status->enh_subject == 7
				      : text_starts_with(text, TEXT("5.7."));
}

static const char *answer_text(struct arena *arena, const smtp_status_t *status)
{
	const char *text = status->text ? status->text : "";
	return delivery_line(arena,
		status->enh_class > 0
			? arena_format(arena, "%d %d.%d.%d %s", status->code, status->enh_class,
				  status->enh_subject, status->enh_detail, text)
			: arena_format(arena, "%d %s", status->code, text));
}

/* 5xx is final for a recipient and for a text. For a sender it speaks of us, as answers about the
 * log-in do: once that has been set right the mail may go. */
static enum delivery meaning(const smtp_status_t *status, bool of_sender)
{
	int code = status->code;
	bool of_login = code == 530 || code == 534 || code == 535 || code == 538;
	if (code / 100 != 5 || of_sender || of_login)
		return DELIVERY_RETRY;
	return is_not_permitted(status) ? DELIVERY_NOT_PERMITTED : DELIVERY_REFUSED;
}

/* `otherwise` is the reason where the server has not answered. */
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
		if (code < 400) /* a 354 stays where the text was never answered */
			return (struct delivery_report){ DELIVERY_RETRY, otherwise };
		return (struct delivery_report){ meaning(statuses[k], k == 0),
			answer_text(batch->arena, statuses[k]) };
	}
	if (batch->dialogue.offered_text && !batch->dialogue.asked_text)
		return (struct delivery_report){ DELIVERY_RETRY,
			"the mail server never asked for the text of the mail" };
	return (struct delivery_report){ DELIVERY_SENT, "" };
}

static void set_or_clear(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

/* After STARTTLS the library looks for certificates below these, and gives up where it may not look,
 * as in the home of root that sudo leaves behind. Whoever is told connects to PostgreSQL, maybe by
 * what is in a home, so it is hidden from the library alone. */
static void hide_home(struct delivery_batch *batch)
{
	const char *home = getenv("HOME");
	const char *configuration = getenv("XDG_CONFIG_DIR");
	batch->home = home ? arena_format(batch->arena, "%s", home) : NULL;
	batch->configuration =
		configuration ? arena_format(batch->arena, "%s", configuration) : NULL;
	set_or_clear("HOME", NO_HOME);
	set_or_clear("XDG_CONFIG_DIR", NULL);
}

static void show_home(const struct delivery_batch *batch)
{
	set_or_clear("HOME", batch->home);
	set_or_clear("XDG_CONFIG_DIR", batch->configuration);
}

static void tell(struct delivery_batch *batch, size_t i, struct delivery_report report)
{
	if (batch->over[i] || batch->dialogue.stop)
		return;
	batch->over[i] = true;
	batch->dialogue.stop = !batch->told(batch->context, i, &report);
	batch->dialogue.deadline =
		clock_monotonic_ms() + DELIVERY_STEPS * batch->settings->mail_timeout * 1000;
}

/* TLS has begun by now, if it does. */
static void over(void *context, smtp_message_t message)
{
	struct delivery_batch *batch = context;
	show_home(batch);
	for (size_t i = 0; i < batch->count && !batch->dialogue.cut; i++)
		if (batch->handles[i] == message)
			tell(batch, i, report(batch, i, "the mail server did not answer"));
}

/* One session with the server. Returns why what nobody was told of by then was not sent. */
static const char *converse(struct delivery_batch *batch)
{
	SSL_CTX *tls = smtp_dialogue_tls(&batch->dialogue, batch->settings->mail_ca_file,
		batch->url.host, batch->dialogue.tls);
	const char *reason = tls ? "the mail library cannot start" : "mail.ca_file cannot be used";
	smtp_session_t session = smtp_create_session();
	auth_context_t auth = auth_create_context();

	hide_home(batch);
	if (session && auth && tls && prepare(batch, session, auth, tls)) {
		smtp_start_session(session);
		reason = smtp_dialogue_reason(batch->arena, &batch->dialogue);
	}
	show_home(batch);
	if (session)
		smtp_destroy_session(session);
	if (auth)
		auth_destroy_context(auth);
	SSL_CTX_free(tls);
	ERR_clear_error();
	return reason;
}

static void send(const struct settings *settings, struct arena *arena,
	const struct message *messages, size_t count, delivery_told *told, void *context)
{
	struct delivery_batch batch = { .settings = settings,
		.arena = arena,
		.messages = messages,
		.count = count,
		.told = told,
		.context = context,
		.handles = arena_alloc(arena, count * sizeof(*batch.handles)),
		.recipients = arena_alloc(arena, count * sizeof(*batch.recipients)),
		.over = arena_alloc(arena, count * sizeof(*batch.over)) };
	const char *reason = smtp_url_parse(arena, settings->mail_url, &batch.url);
	/* credentials must not go out in the clear because somebody took STARTTLS away */
	batch.dialogue = (struct smtp_dialogue){
		.login = batch.url.user != NULL,
		.tls = batch.url.user ? TLS_REQUIRED : settings->mail_tls,
		.port = batch.url.port,
		.deadline = clock_monotonic_ms() + DELIVERY_STEPS * settings->mail_timeout * 1000,
		.over = over,
		.context = &batch,
		.connection = -1,
	};
	auth_client_init(); /* never undone: what its counterpart unloads is used again */
	if (!reason && count > 0)
		reason = converse(&batch);
	for (size_t i = 0; i < count; i++) {
		bool safe = address_is_safe(messages[i].recipient) &&
			    address_is_safe(messages[i].sender);
		tell(&batch, i,
			safe ? (struct delivery_report){ DELIVERY_RETRY, reason }
			     : (struct delivery_report){
				       DELIVERY_REFUSED, "the address is not safe to send" });
	}
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
