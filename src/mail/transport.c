/* SPDX-License-Identifier: MIT */
#include "mail/transport.h"

const struct transport *transport_of(const struct settings *settings)
{
	static const struct transport *const transports[] = {
		[TRANSPORT_SMTP] = &transport_smtp,
		[TRANSPORT_SENDMAIL] = &transport_sendmail,
		[TRANSPORT_DIRECTORY] = &transport_directory,
	};
	return transports[settings->mail_transport];
}
