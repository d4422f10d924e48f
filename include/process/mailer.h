/* SPDX-License-Identifier: MIT */
#ifndef LATCHKEY_PROCESS_MAILER_H
#define LATCHKEY_PROCESS_MAILER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Sends the mail where one process does everything (http.workers = 0): now and then it forks a child for
 * that, one at a time, so that a mail server which does not answer holds up nobody.
 */
struct mailer {
	/* In the child, which has standard input, output and error and the descriptor `keep` and no
	 * other open: sends what is due. Returns the seconds until something is due again, at most
	 * 255. */
	unsigned (*send)(void *context);
	void *context;
	int keep; /* or -1 */
	pid_t child; /* 0: none at present */
	int64_t start_at; /* monotonic ms of the next */
	int64_t started_at; /* of the last */
	bool served; /* requests were, since the last */
};

/* A chore (worker.h): starts a child after requests, and when mail is due. */
int64_t mailer_work(void *mailer, bool served);

/* Gives a child that is under way two seconds to finish. Then it is ended, and its mail goes out the
 * next time. */
void mailer_stop(struct mailer *mailer);

#endif
