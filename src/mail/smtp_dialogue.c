/* SPDX-License-Identifier: MIT */
/*
 * libesmtp goes on without a log-in that failed, judges certificates by another name than the one
 * that was asked for, and does not say why a session ended. It lets others listen, though.
 */
#include "mail/smtp_dialogue.h"

#include <string.h>
#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/settings.h"
#include "base/text.h"
#include "mail/transport.h"

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
	shutdown(dialogue->connection, SHUT_RDWR);
}

static void hear_command(struct smtp_dialogue *dialogue, struct text command)
{
	dialogue->asked_tls = text_starts_with(command, TEXT("STARTTLS"));
	if (must_log_in(dialogue) && text_starts_with(command, TEXT("MAIL"))) {
		dialogue->unauthenticated = true;
		cut(dialogue);
	}
}

/* libesmtp shows what it has read, and what it is about to write. */
static void hear(const char *octets, int count, int writing, void *argument)
{
	struct smtp_dialogue *dialogue = argument;
	if (writing) {
		hear_command(dialogue, (struct text){ octets, (size_t)count });
		return;
	}
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
	const char *text = smtp_strerror(smtp_errno(), buffer, sizeof(buffer));
	return arena_format(arena, "the connection to the mail server failed: %s",
		delivery_line(arena, text && text[0] ? text : "it ended early"));
}
