/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

#define LINE_SIZE 2048

/* By enum log_level. */
static const char *const level_names[] = { "error", "warning", "info", "debug" };
static const char *const journal_prefixes[] = { "<3>", "<4>", "<6>", "<7>" };
static const int priorities[] = { LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* systemd.exec(5): "DEVICE:INODE" of the stream that is connected to the journal. It stays in the
 * environment of programs whose stderr is another by then. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device, inode;
	struct stat status;
	return stream && sscanf(stream, "%ju:%ju", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device &&
	       status.st_ino == inode;
}

const char *log_priority(enum log_level level)
{
	return stderr_is_journal() ? journal_prefixes[level] : "";
}

bool log_open(struct log *log, const char *target, enum log_level level, const char *role)
{
	*log = (struct log){ .descriptor = STDERR_FILENO, .level = level, .role = role };
	if (strcmp(target, "stderr") == 0) {
		log->journal = stderr_is_journal();
		return true;
	}
	if (strcmp(target, "syslog") == 0) {
		openlog("latchkey", LOG_PID, LOG_DAEMON);
		log->descriptor = -1;
		return true;
	}
	int descriptor = open(target, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (descriptor < 0)
		return false;
	log->descriptor = descriptor;
	return true;
}

bool log_reopen(const struct log *log, const char *target)
{
	if (log->descriptor <= STDERR_FILENO)
		return true;
	int descriptor = open(target, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (descriptor < 0)
		return false;
	bool taken = dup3(descriptor, log->descriptor, O_CLOEXEC) >= 0;
	close(descriptor);
	return taken;
}

void log_close(struct log *log)
{
	if (log->descriptor > STDERR_FILENO)
		close(log->descriptor);
	log->descriptor = STDERR_FILENO;
}

/* Copies what may stand in a line; the rest becomes \xNN. Returns the octets written. */
static size_t escape(char *to, size_t room, const char *from)
{
	size_t used = 0;
	bool whole = utf8_is_valid(text_of(from));
	for (; *from; from++) {
		unsigned char c = (unsigned char)*from;
		bool plain = c >= 0x20 && c != 0x7f && (c < 0x80 || whole);
		if (used + (plain ? 1 : 4) + 4 > room) {
			/* not in the middle of a character */
			while (used > 0 && ((unsigned char)to[used - 1] & 0xc0) == 0x80)
				used--;
			if (used > 0 && (unsigned char)to[used - 1] >= 0xc0)
				used--;
			memcpy(to + used, "…", 3);
			return used + 3;
		}
		if (plain)
			to[used++] = (char)c;
		else
			used += (size_t)sprintf(to + used, "\\x%02x", c);
	}
	return used;
}

static void write_line(
	const struct log *log, enum log_level level, const char *event, const char *fields)
{
	char line[LINE_SIZE];
	struct timespec now;
	struct tm utc;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	size_t used = (size_t)sprintf(line, "%s", log->journal ? journal_prefixes[level] : "");
	used += strftime(line + used, sizeof(line) - used, "%Y-%m-%dT%H:%M:%S", &utc);
	used += (size_t)snprintf(line + used, sizeof(line) - used, ".%03ldZ %s %s[%d] %s ",
		now.tv_nsec / 1000000, level_names[level], log->role, (int)getpid(), event);
	used += escape(line + used, sizeof(line) - used - 1, fields);
	line[used++] = '\n';
	/* a log that cannot be written to is no reason to stop serving */
	ssize_t written = write(log->descriptor, line, used);
	(void)written;
}

__attribute__((format(printf, 4, 0))) static void write_event(const struct log *log,
	enum log_level level, const char *event, const char *format, va_list arguments)
{
	char fields[LINE_SIZE];
	int before = errno;
	if (level > log->level)
		return;
	vsnprintf(fields, sizeof(fields), format, arguments);
	if (log->descriptor >= 0) {
		write_line(log, level, event, fields);
	} else {
		char escaped[LINE_SIZE];
		escaped[escape(escaped, sizeof(escaped), fields)] = '\0';
		syslog(priorities[level], "%s %s %s", log->role, event, escaped);
	}
	errno = before;
}

#define LOG_FUNCTION(name, level)                                                                  \
	void name(const struct log *log, const char *event, const char *format, ...)               \
	{                                                                                          \
		va_list arguments;                                                                 \
		va_start(arguments, format);                                                       \
		write_event(log, level, event, format, arguments);                                 \
		va_end(arguments);                                                                 \
	}

LOG_FUNCTION(log_error, LOG_ERROR_LEVEL)
LOG_FUNCTION(log_warning, LOG_WARNING_LEVEL)
LOG_FUNCTION(log_info, LOG_INFO_LEVEL)
LOG_FUNCTION(log_debug, LOG_DEBUG_LEVEL)
