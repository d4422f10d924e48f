/* SPDX-License-Identifier: MIT */
/*
 * libesmtp goes on without a log-in that failed, judges certificates by another name than the one
 * that was asked for, and does not say why a session ended. It lets others listen, though.
 */
#include "mail/smtp_dialogue.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/settings.h"
#include "base/text.h"
#include "mail/transport.h"

#define DESCRIPTORS 1024 /* among which the library's socket is looked for */

static bool must_log_in(const struct smtp_dialogue *dialogue)
{
	return dialogue->login && !dialogue->logged_in;
}

/* A whole answer. 235 is that to a log-in alone (RFC 4954 section 6), 221 that to our QUIT. */
static void hear_answer(struct smtp_dialogue *dialogue)
{
	char *line = dialogue->line;
	line[dialogue->length] = '\0';
	dialogue->length = 0;
	if (strncmp(line, "235", 3) == 0)
		dialogue->logged_in = true;
	if (strncmp(line, "221", 3) == 0)
		return;
	if (strncmp(line, "354", 3) == 0)
		dialogue->asked_text = true;
	/* to a log-in that it does not understand a server may answer with the password in it */
	if (must_log_in(dialogue) && strncmp(line, "50", 2) == 0)
		line[3] = '\0';
	if (line[0] == '4' || line[0] == '5')
		memcpy(dialogue->refusal, line, DIALOGUE_LINE);
	else
		dialogue->refusal[0] = '\0';
}

static void cut(struct smtp_dialogue *dialogue)
{
	dialogue->cut = true;
	if (dialogue->connection >= 0)
		shutdown(dialogue->connection, SHUT_RDWR);
}

static void hear_command(struct smtp_dialogue *dialogue, struct text command)
{
	dialogue->asked_tls = text_starts_with(command, TEXT("STARTTLS"));
	if (text_starts_with(command, TEXT("DATA")))
		dialogue->offered_text = true;
	if (!text_starts_with(command, TEXT("MAIL")))
		return;
	dialogue->offered_text = false;
	dialogue->asked_text = false;
	dialogue->unauthenticated = must_log_in(dialogue);
	if (dialogue->unauthenticated || dialogue->stop)
		cut(dialogue);
}

/* There may be several (RFC 2920). */
static void hear_commands(struct smtp_dialogue *dialogue, struct text commands)
{
	struct text line;
	while (text_next(&commands, '\n', &line))
		hear_command(dialogue, line);
}

static void hear_octets(struct smtp_dialogue *dialogue, const char *octets, int count)
{
	for (int i = 0; i < count; i++) {
		if (octets[i] != '\n') {
			if (dialogue->length < DIALOGUE_LINE - 1)
				dialogue->line[dialogue->length++] = octets[i];
			continue;
		}
		hear_answer(dialogue);
		if (dialogue->asked_tls && dialogue->line[3] != '-' && i + 1 < count)
			dialogue->injected = true;
	}
}

/* libesmtp shows what it has read, and what it is about to write. It would go on with a server that
 * sends an octet now and then. */
static void hear(const char *octets, int count, int writing, void *argument)
{
	struct smtp_dialogue *dialogue = argument;
	if (writing)
		hear_commands(dialogue, (struct text){ octets, (size_t)count });
	else
		hear_octets(dialogue, octets, count);
	if (clock_monotonic_ms() <= dialogue->deadline)
		return;
	dialogue->late = true;
	cut(dialogue);
}

static bool leads_to(int descriptor, const char *port)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);
	char number[NI_MAXSERV];
	return getpeername(descriptor, (struct sockaddr *)&peer, &size) == 0 &&
	       (peer.ss_family == AF_INET || peer.ss_family == AF_INET6) &&
	       getnameinfo((struct sockaddr *)&peer, size, NULL, 0, number, sizeof(number),
		       NI_NUMERICSERV) == 0 &&
	       strcmp(number, port) == 0;
}

/* libesmtp does not show its socket. It has just connected: the last one there is to that port. */
static int find_connection(const char *port)
{
	for (int descriptor = DESCRIPTORS; descriptor > STDERR_FILENO; descriptor--)
		if (leads_to(descriptor, port))
			return descriptor;
	return -1;
}

/* MAIL was refused: there is nothing more to be answered about this message. */
static void hear_sender(struct smtp_dialogue *dialogue, smtp_message_t message)
{
	const smtp_status_t *status = smtp_reverse_path_status(message);
	if (!status || status->code / 100 != 2)
		dialogue->over(dialogue->context, message);
}

/*
 * libesmtp's own look at a certificate knows neither addresses nor the name that was asked for.
 * Where it matters OpenSSL has judged already; where it does not, there is nothing to say.
 */
static void notice(smtp_session_t session, int event, void *argument, ...)
{
	(void)session;
	struct smtp_dialogue *dialogue = argument;
	va_list more;
	va_start(more, argument);
	switch (event) {
	case SMTP_EV_CONNECT:
		dialogue->connection = find_connection(dialogue->port);
		break;
	case SMTP_EV_MAILSTATUS:
		(void)va_arg(more, const char *);
		hear_sender(dialogue, va_arg(more, smtp_message_t));
		break;
	case SMTP_EV_MESSAGESENT:
		dialogue->over(dialogue->context, va_arg(more, smtp_message_t));
		break;
	case SMTP_EV_INVALID_PEER_CERTIFICATE:
		(void)va_arg(more, long);
		*va_arg(more, int *) = dialogue->tls != TLS_REQUIRED;
		break;
	case SMTP_EV_WRONG_PEER_CERTIFICATE:
		*va_arg(more, int *) = 1;
		break;
	case SMTP_EV_STARTTLS_OK:
		dialogue->connection = SSL_get_fd(va_arg(more, SSL *));
		if (dialogue->injected)
			cut(dialogue);
		break;
	case SMTP_EV_EXTNA_STARTTLS:
		dialogue->no_starttls = true;
		break;
	default:
		break;
	}
	va_end(more);
}

/* Leaves the judgement as it is, and remembers it. */
static int note_certificate(int good, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct smtp_dialogue *dialogue = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	if (!good)
		dialogue->certificate =
			X509_verify_cert_error_string(X509_STORE_CTX_get_error(store));
	return good;
}

static bool trust(SSL_CTX *context, const char *ca_file, const char *host)
{
	X509_VERIFY_PARAM *parameters = SSL_CTX_get0_param(context);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, note_certificate);
	return (ca_file[0] ? SSL_CTX_load_verify_locations(context, ca_file, NULL)
			   : SSL_CTX_set_default_verify_paths(context)) == 1 &&
	       (X509_VERIFY_PARAM_set1_ip_asc(parameters, host) == 1 ||
		       X509_VERIFY_PARAM_set1_host(parameters, host, 0) == 1);
}

SSL_CTX *smtp_dialogue_tls(
	struct smtp_dialogue *dialogue, const char *ca_file, const char *host, int tls)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	/* TLS 1.3 sends session tickets after the handshake. libesmtp takes them for the answer to a
	 * command that it has not written yet, and waits for ever. */
	if (!context || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
		SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION) != 1 ||
		(tls == TLS_REQUIRED && !trust(context, ca_file, host))) {
		SSL_CTX_free(context);
		context = NULL;
	} else {
		SSL_CTX_set_app_data(context, dialogue);
	}
	ERR_clear_error();
	return context;
}

bool smtp_dialogue_attach(struct smtp_dialogue *dialogue, smtp_session_t session, SSL_CTX *tls)
{
	static const enum starttls_option options[] = { [TLS_OFF] = Starttls_DISABLED,
		[TLS_OPPORTUNISTIC] = Starttls_ENABLED,
		[TLS_REQUIRED] = Starttls_REQUIRED };
	return smtp_starttls_enable(session, options[dialogue->tls]) &&
	       smtp_starttls_set_ctx(session, tls) && smtp_set_eventcb(session, notice, dialogue) &&
	       smtp_set_monitorcb(session, hear, dialogue, 0);
}

const char *smtp_dialogue_reason(struct arena *arena, const struct smtp_dialogue *dialogue)
{
	char buffer[DIALOGUE_LINE] = "";
	if (dialogue->certificate)
		return arena_format(arena, "the mail server's certificate is not good: %s",
			dialogue->certificate);
	if (dialogue->no_starttls)
		return "the mail server does not offer STARTTLS, which is required";
	if (dialogue->injected)
		return "somebody put answers into the connection to the mail server";
	if (dialogue->unauthenticated && !dialogue->refusal[0])
		return "the mail server offers no log-in with user and password";
	if (dialogue->unauthenticated)
		return arena_format(arena, "the mail server refused the log-in: %s",
			delivery_line(arena, dialogue->refusal));
	if (dialogue->refusal[0])
		return delivery_line(arena, dialogue->refusal);
	if (dialogue->late)
		return "the mail server took longer than all steps of a mail may together";
	unsigned long tls = ERR_peek_last_error();
	if (smtp_errno() == SMTP_ERR_CLIENT_ERROR && tls != 0) /* libesmtp's word for its failure */
		return arena_format(arena, "TLS with the mail server failed: %s",
			delivery_line(arena, ERR_reason_error_string(tls)));
	if (smtp_errno() == SMTP_ERR_CLIENT_ERROR)
		return "the mail server did not go on with TLS after STARTTLS";
	const char *text = smtp_strerror(smtp_errno(), buffer, sizeof(buffer));
	return arena_format(arena, "the connection to the mail server failed: %s",
		delivery_line(arena, text && text[0] ? text : "it ended early"));
}
