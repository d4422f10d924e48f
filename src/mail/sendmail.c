/* SPDX-License-Identifier: MIT */
/*
 * A pipe to the machine's own mail program, for hosts that block the mail ports. It may hang, and so
 * may what it runs; what it says of a failure is all that an administrator has to go by.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
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

#define LOOK_MS 10 /* how often is looked whether the program has ended */
#define WORDS_MAXIMUM 400 /* octets of what it says on stderr; the rest is read and forgotten */

/* A program at work on one message. */
struct run {
	pid_t child; /* and its process group */
	int to; /* its stdin; -1: closed */
	int from; /* its stderr; -1: closed */
	struct text rest; /* of the message */
	int64_t deadline; /* monotonic ms */
	bool killed;
	char words[WORDS_MAXIMUM];
	size_t word_count; /* octets */
};

/* In the child. Where a pipe has the wanted number already, dup2 would leave it to close with exec. */
static bool become(int descriptor, int wanted)
{
	return descriptor == wanted ? fcntl(wanted, F_SETFD, 0) == 0
				    : dup2(descriptor, wanted) >= 0;
}

/* The program leads a group of its own: mail programs run others, which are killed with it. */
static pid_t start(const char *program, const char *sender, int stdin_end, int stderr_end)
{
	pid_t child = fork();
	if (child != 0)
		return child;
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setsid();
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (become(stdin_end, STDIN_FILENO) && become(stderr_end, STDERR_FILENO) && nowhere >= 0 &&
		become(nowhere, STDOUT_FILENO))
		execl(program, program, "-t", "-i", "-f", sender, (char *)NULL);
	_exit(EX_OSFILE);
}

static void close_end(int *descriptor)
{
	if (*descriptor >= 0)
		close(*descriptor);
	*descriptor = -1;
}

static void kill_group(struct run *run)
{
	run->killed = true;
	kill(-run->child, SIGKILL);
	kill(run->child, SIGKILL); /* it may not have made its group yet */
}

/* A pipe takes PIPE_BUF octets without waiting once it is writable at all. */
static void feed(struct run *run)
{
	size_t size = run->rest.length < PIPE_BUF ? run->rest.length : PIPE_BUF;
	ssize_t written = write(run->to, run->rest.at, size);
	if (written < 0 && errno != EINTR)
		kill_group(run); /* it reads no more: the end must not look like that of the mail */
	run->rest = text_after(run->rest, written > 0 ? (size_t)written : 0);
	if (run->rest.length == 0 || run->killed)
		close_end(&run->to);
}

static void listen_to(struct run *run)
{
	char octets[512];
	ssize_t size = read(run->from, octets, sizeof(octets));
	if (size == 0 || (size < 0 && errno != EINTR))
		close_end(&run->from);
	for (ssize_t i = 0; i < size && run->word_count < WORDS_MAXIMUM; i++)
		run->words[run->word_count++] = octets[i];
}

/* Until the program has ended, or is killed at the deadline. Its children may keep stderr open, so
 * the end of that means nothing. Returns the status of waitpid. */
static int attend(struct run *run)
{
	int status = -1;
	for (pid_t ended = 0; ended == 0 || (ended < 0 && errno == EINTR);
		ended = waitpid(run->child, &status, WNOHANG)) {
		struct pollfd ready[] = { { run->to, POLLOUT, 0 }, { run->from, POLLIN, 0 } };
		if (!run->killed && clock_monotonic_ms() > run->deadline)
			kill_group(run);
		poll(ready, 2, LOOK_MS);
		if (run->to >= 0 && ready[0].revents)
			feed(run);
		if (run->from >= 0 && ready[1].revents)
			listen_to(run);
	}
	struct pollfd said = { run->from, POLLIN, 0 };
	while (run->from >= 0 && poll(&said, 1, 0) > 0 && run->word_count < WORDS_MAXIMUM) {
		listen_to(run);
		said.fd = run->from;
	}
	return status;
}

/* The exit statuses of sysexits.h that say that another try will not help. */
static struct delivery_report report(struct arena *arena, const struct run *run, int status)
{
	struct delivery_report report = { DELIVERY_RETRY, "" };
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	if (code == 0 && run->rest.length == 0)
		return (struct delivery_report){ DELIVERY_SENT, "" };
	if (code == EX_DATAERR || code == EX_NOUSER || code == EX_NOHOST)
		report.delivery = DELIVERY_REFUSED;
	const char *words = delivery_line(
		arena, text_string(arena, (struct text){ run->words, run->word_count }));
	const char *what = clock_monotonic_ms() > run->deadline
				   ? "the program took longer than mail.timeout and was killed"
			   : run->rest.length > 0 ? "the program did not read the whole message"
			   : code >= 0
				   ? arena_format(arena, "the program ended with status %d", code)
				   : "the program was killed";
	report.reason = words[0] ? arena_format(arena, "%s: %s", what, words) : what;
	return report;
}

static struct delivery_report send_one(
	const struct settings *settings, struct arena *arena, const struct message *message)
{
	struct delivery_report result = { DELIVERY_RETRY, "no pipe or no process" };
	struct run run = { .to = -1,
		.from = -1,
		.rest = system_lines(arena, message->content),
		.deadline = clock_monotonic_ms() + settings->mail_timeout * 1000 };
	int to[2] = { -1, -1 };
	int from[2] = { -1, -1 };
	if (!address_is_safe(message->sender) || !address_is_safe(message->recipient))
		return (struct delivery_report){ DELIVERY_REFUSED, "the address is not safe" };
	if (pipe2(to, O_CLOEXEC) == 0 && pipe2(from, O_CLOEXEC) == 0)
		run.child = start(settings->mail_sendmail, text_string(arena, message->sender),
			to[0], from[1]);
	close_end(&to[0]);
	close_end(&from[1]);
	run.to = to[1];
	run.from = from[0];
	if (run.child > 0)
		result = report(arena, &run, attend(&run));
	close_end(&run.to);
	close_end(&run.from);
	return result;
}

static void send(const struct settings *settings, struct arena *arena,
	const struct message *messages, size_t count, delivery_told *told, void *context)
{
	bool goes_on = true;
	for (size_t i = 0; i < count && goes_on; i++) {
		struct delivery_report report = send_one(settings, arena, &messages[i]);
		goes_on = told(context, i, &report);
	}
}

const struct transport transport_sendmail = {
	.name = "sendmail",
	.check = check,
	.send = send,
};
