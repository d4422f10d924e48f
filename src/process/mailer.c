/* SPDX-License-Identifier: MIT */
/* Whether mail is due is asked in the child too: connecting to the database may take its time. */
#include "process/mailer.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#define AFTER_REQUESTS_MS 1000 /* not more often than that */
#define AFTER_FAILURE_MS 5000
#define STOP_MS 2000
#define STEP_MS 250 /* how often a child is looked after */

/* What the parent has open is none of its business: least of all the listener, at which nobody would
 * accept, and connections, which would not end. */
static void close_others(int keep)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null > STDERR_FILENO)
		dup2(null, STDIN_FILENO);
	unsigned from = STDERR_FILENO + 1;
	if (keep > STDERR_FILENO) {
		if (keep > (int)from)
			close_range(from, (unsigned)keep - 1, 0);
		from = (unsigned)keep + 1;
	}
	close_range(from, ~0U, 0);
}

static void start(struct mailer *mailer)
{
	pid_t parent = getpid();
	pid_t child = fork();
	if (child == 0) {
		sigset_t none;
		sigemptyset(&none);
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		signal(SIGTERM, SIG_DFL);
		signal(SIGINT, SIG_DFL);
		sigprocmask(SIG_SETMASK, &none, NULL);
		if (getppid() != parent)
			_exit(0);
		close_others(mailer->keep);
		_exit((int)mailer->send(mailer->context));
	}
	mailer->served = false;
	mailer->started_at = clock_monotonic_ms();
	mailer->start_at = mailer->started_at + AFTER_FAILURE_MS;
	mailer->child = child > 0 ? child : 0;
}

static void reap(struct mailer *mailer)
{
	int status;
	if (mailer->child == 0 || waitpid(mailer->child, &status, WNOHANG) == 0)
		return;
	mailer->child = 0;
	mailer->start_at = clock_monotonic_ms() +
			   (WIFEXITED(status) ? WEXITSTATUS(status) * 1000 : AFTER_FAILURE_MS);
}

int64_t mailer_work(void *context, bool served)
{
	struct mailer *mailer = context;
	reap(mailer);
	mailer->served = mailer->served || served;
	if (mailer->served && mailer->start_at > mailer->started_at + AFTER_REQUESTS_MS)
		mailer->start_at = mailer->started_at + AFTER_REQUESTS_MS;
	int64_t now = clock_monotonic_ms();
	if (mailer->child == 0 && now >= mailer->start_at)
		start(mailer);
	return mailer->child > 0 ? now + STEP_MS : mailer->start_at;
}

void mailer_stop(struct mailer *mailer)
{
	for (int waited = 0; mailer->child > 0 && waited < STOP_MS; waited += 20) {
		usleep(20000);
		reap(mailer);
	}
	if (mailer->child > 0)
		kill(mailer->child, SIGTERM);
}
