/* SPDX-License-Identifier: MIT */
/* What the ways for mail to leave have in common. */
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

struct text system_lines(struct arena *arena, struct text content)
{
	char *lines = arena_alloc(arena, content.length);
	size_t length = 0;
	for (size_t i = 0; i < content.length; i++)
		if (content.at[i] != '\r')
			lines[length++] = content.at[i];
	return (struct text){ lines, length };
}

const char *delivery_line(struct arena *arena, const char *text)
{
	char *line = arena_format(arena, "%.200s", text);
	for (char *at = line; *at; at++)
		if ((unsigned char)*at < 0x20 || (unsigned char)*at >= 0x7f)
			*at = ' ';
	return text_string(arena, text_trim(text_of(line)));
}
