/* SPDX-License-Identifier: MIT */
/*
 * The least that a FastCGI responder can do: a constant answer by libfcgi's own loop, from as many
 * processes as the service has workers. What a web server and libfcgi cost is what this costs.
 *     hello SOCKET PROCESSES
 */
#include <fcgiapp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int serve(int listener)
{
	FCGX_Request request;
	if (FCGX_InitRequest(&request, listener, 0) != 0)
		return 1;
	while (FCGX_Accept_r(&request) == 0) {
		FCGX_PutS("Status: 200 OK\r\nContent-Type: application/json\r\n"
			  "Content-Length: 16\r\n\r\n{\"said\":\"hello\"}",
			request.out);
		FCGX_Finish_r(&request);
	}
	return 1;
}

int main(int count, char **arguments)
{
	int listener = count == 3 && FCGX_Init() == 0 ? FCGX_OpenSocket(arguments[1], 1024) : -1;
	if (listener < 0 || chmod(arguments[1], 0666) != 0) {
		fprintf(stderr, "hello SOCKET PROCESSES\n");
		return 1;
	}
	for (int i = atoi(arguments[2]); i > 0; i--) {
		if (fork() > 0)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(serve(listener));
	}
	while (wait(NULL) > 0) {
	}
	return 0;
}
