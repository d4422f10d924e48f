/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_BASE_LOG_H
#define LATCHKEY_BASE_LOG_H

#include <stdbool.h>

/*
 * One line for each event, written with one write(2):
 *
 *     2026-01-02T03:04:05.678Z warning worker[4711] database_away error="…"
 *
 * Where stderr is the journal of systemd, a priority stands before it, such as <4> (sd-daemon(3)).
 *
 * An event has a stable name; what follows is key=value. Whatever is not printable ASCII or
 * UTF-8 in the formatted part is escaped, so a value cannot forge a line. Nobody hands in passwords,
 * tokens, hashes or the text of mails.
 */
enum log_level { LOG_ERROR_LEVEL, LOG_WARNING_LEVEL, LOG_INFO_LEVEL, LOG_DEBUG_LEVEL };

struct log {
	int descriptor; /* -1: syslog */
	enum log_level level; /* what is below is not written */
	const char *role; /* "supervisor", "worker", "courier", … */
	bool journal; /* the descriptor is the journal's */
};

/* "<3>" and so on where stderr is the journal (JOURNAL_STREAM names it), else "": what a line of that
 * level begins with. */
const char *log_priority(enum log_level level);

/* target: "stderr", "syslog", or the path of a file, to which it appends. False with errno. */
__attribute__((warn_unused_result)) bool log_open(
	struct log *log, const char *target, enum log_level level, const char *role);
void log_close(struct log *log);

/* Opens the file anew under the same descriptor: whoever has moved it away gets no more lines. Does
 * nothing for stderr and syslog. False with errno: the file before stays. */
__attribute__((warn_unused_result)) bool log_reopen(const struct log *log, const char *target);

__attribute__((format(printf, 3, 4))) void log_error(
	const struct log *log, const char *event, const char *format, ...);
__attribute__((format(printf, 3, 4))) void log_warning(
	const struct log *log, const char *event, const char *format, ...);
__attribute__((format(printf, 3, 4))) void log_info(
	const struct log *log, const char *event, const char *format, ...);
__attribute__((format(printf, 3, 4))) void log_debug(
	const struct log *log, const char *event, const char *format, ...);

#endif
