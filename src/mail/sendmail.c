/* SPDX-License-Identifier: MIT */
/* A pipe to the machine's own mail program, for hosts that block the mail ports. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "mail/transport.h"

static const char *check(const struct settings *settings, struct arena *arena)
{
	if (access(settings->mail_sendmail, X_OK) != 0)
		return arena_format(
			arena, "mail.sendmail: %s: %s", settings->mail_sendmail, strerror(errno));
	return NULL;
}

static pid_t start(const char *program, const char *sender, int pipe_ends[2])
{
	pid_t child = fork();
	if (child != 0)
		return child;
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	/* where the pipe has number 0 already, dup2 would leave it to close with the exec */
	if (pipe_ends[0] == STDIN_FILENO ? fcntl(STDIN_FILENO, F_SETFD, 0) == 0
					 : dup2(pipe_ends[0], STDIN_FILENO) >= 0) {
		execl(program, program, "-t", "-i", "-f", sender, (char *)NULL);
	}
	_exit(EX_OSFILE);
}

/* The program takes lines as the system ends them. Returns false when it stopped reading. */
static bool feed(int to, struct arena *arena, struct text content, int64_t deadline)
{
	char *lines = arena_copy(arena, content.at, content.length);
	size_t length = 0;
	for (size_t i = 0; i < content.length; i++)
		if (content.at[i] != '\r')
			lines[length++] = content.at[i];
	struct pollfd ready = { to, POLLOUT, 0 };
	for (size_t sent = 0; sent < length;) {
		int64_t left = deadline - clock_monotonic_ms();
		int polled = left > 0 ? poll(&ready, 1, (int)left) : 0;
		if (polled < 0 && errno == EINTR)
			continue;
		if (polled <= 0)
			return false;
		/* a pipe takes this much without waiting once it is writable at all */
		size_t size = length - sent < PIPE_BUF ? length - sent : PIPE_BUF;
		ssize_t written = write(to, lines + sent, size);
		if (written < 0 && errno != EINTR)
			return false;
		sent += written > 0 ? (size_t)written : 0;
	}
	return true;
}

/* Waits until the deadline, then kills. */
static int finish(pid_t child, int64_t deadline)
{
	int status;
	for (;;) {
		pid_t ended = waitpid(child, &status, WNOHANG);
		if (ended == child)
			return status;
		if (ended < 0 && errno != EINTR)
			return -1;
		if (clock_monotonic_ms() > deadline)
			kill(child, SIGKILL);
		nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
	}
}

/* The exit statuses of sysexits.h that say that another try will not help. */
static struct delivery_report report(struct arena *arena, bool fed, int status)
{
	struct delivery_report report = { DELIVERY_RETRY, "the program was killed or never ran" };
	if (!WIFEXITED(status))
		return report;
	int code = WEXITSTATUS(status);
	if (code == 0 && fed)
		return (struct delivery_report){ DELIVERY_SENT, "" };
	if (code == EX_DATAERR || code == EX_NOUSER || code == EX_NOHOST)
		report.delivery = DELIVERY_REFUSED;
	report.reason = arena_format(arena, "the program ended with status %d", code);
	return report;
}

static struct delivery_report send_one(
	const struct settings *settings, struct arena *arena, const struct message *message)
{
	struct delivery_report failed = { DELIVERY_RETRY, "no pipe or no process" };
	const char *sender = text_string(arena, message->sender);
	int64_t deadline = clock_monotonic_ms() + settings->mail_timeout * 1000;
	int pipe_ends[2];
	if (!address_is_safe(message->sender) || !address_is_safe(message->recipient))
		return (struct delivery_report){ DELIVERY_REFUSED, "the address is not safe" };
	if (pipe2(pipe_ends, O_CLOEXEC) != 0)
		return failed;
	pid_t child = start(settings->mail_sendmail, sender, pipe_ends);
	close(pipe_ends[0]);
	bool fed = child > 0 && feed(pipe_ends[1], arena, message->content, deadline);
	if (child > 0 && !fed)
		kill(child, SIGKILL); /* before the end of the pipe looks like that of the mail */
	close(pipe_ends[1]);
	return child > 0 ? report(arena, fed, finish(child, deadline)) : failed;
}

static void send(const struct settings *settings, struct arena *arena,
	const struct message *messages, size_t count, struct delivery_report *reports)
{
	for (size_t i = 0; i < count; i++)
		reports[i] = send_one(settings, arena, &messages[i]);
}

const struct transport transport_sendmail = {
	.name = "sendmail",
	.check = check,
	.send = send,
};
