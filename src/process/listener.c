/* SPDX-License-Identifier: MIT */
#include "process/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"

#define BACKLOG 1024
#define SYSTEMD_FIRST 3

static bool is_listening(int descriptor)
{
	int listening = 0;
	socklen_t size = sizeof(listening);
	return getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 &&
	       listening;
}

/* sd_listen_fds(3), for the one socket that we take. */
static bool passed_by_systemd(void)
{
	const char *process = getenv("LISTEN_PID");
	const char *count = getenv("LISTEN_FDS");
	return process && count && atol(process) == (long)getpid() && atoi(count) >= 1 &&
	       is_listening(SYSTEMD_FIRST);
}

static const char *fail(struct arena *arena, const char *where, const char *what)
{
	return arena_format(arena, "http.listen: %s: %s: %s", where, what, strerror(errno));
}

static const char *give_to_group(const char *path, const char *group, struct arena *arena)
{
	if (group[0] == '\0')
		return NULL;
	errno = 0;
	const struct group *entry = getgrnam(group);
	if (!entry)
		return arena_format(arena, "http.socket_group: there is no group %s", group);
	if (lchown(path, (uid_t)-1, entry->gr_gid) != 0)
		return arena_format(arena,
			"http.socket_group: %s: %s (only root and members of %s "
			"may do that)",
			path, strerror(errno), group);
	return NULL;
}

/* Somebody may be serving there. Nobody answers a socket that was left behind. */
static const char *take_over(const struct sockaddr_un *address, struct arena *arena)
{
	const char *path = address->sun_path;
	struct stat status;
	if (lstat(path, &status) != 0)
		return NULL;
	if (!S_ISSOCK(status.st_mode))
		return arena_format(
			arena, "http.listen: %s is there and is no socket; remove it first", path);
	int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool answered = connect(probe, (const struct sockaddr *)address, sizeof(*address)) == 0;
	close(probe);
	if (answered)
		return arena_format(
			arena, "http.listen: another process serves %s; refusing to start", path);
	if (unlink(path) != 0)
		return fail(arena, path, "cannot remove the socket that was left behind");
	return NULL;
}

/* The file gets its mode from the socket as it is made: who may write in the folder could put a link to
 * another file in its place, and chmod() follows links, perhaps root's. */
static bool make_socket(int made, const struct sockaddr_un *address, mode_t mode)
{
	mode_t before = umask(0);
	bool bound = fchmod(made, mode) == 0 &&
		     bind(made, (const struct sockaddr *)address, sizeof(*address)) == 0;
	umask(before);
	return bound;
}

/* Nobody can connect before mode and group are right: listen() comes last. */
static const char *listen_at_path(struct listener *listener, const char *path,
	const struct settings *settings, struct arena *arena)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char *end;
	long mode = strtol(settings->http_socket_mode, &end, 8);
	if (settings->http_socket_mode[0] == '\0' || *end != '\0' || mode < 0 || mode > 0777)
		return "http.socket_mode takes octal digits such as 0660";
	if (strlen(path) >= sizeof(address.sun_path))
		return arena_format(arena,
			"http.listen: %s is too long: a socket's path has at most "
			"%zu octets",
			path, sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path));
	const char *wrong = take_over(&address, arena);
	if (wrong)
		return wrong;
	listener->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (!make_socket(listener->socket, &address, (mode_t)mode))
		return fail(arena, path, "cannot make the socket");
	listener->path = path;
	wrong = give_to_group(path, settings->http_socket_group, arena);
	if (!wrong && listen(listener->socket, BACKLOG) != 0)
		wrong = fail(arena, path, "cannot listen");
	return wrong;
}

/* FastCGI has no authentication: whoever reaches the port is the web server. Loopback and private
 * networks only (RFC 1918, RFC 4193). */
static bool is_private(const struct sockaddr_storage *address)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;
	if (address->ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ||
		       (v6->sin6_addr.s6_addr[0] & 0xfe) == 0xfc;
	uint32_t host = ntohl(v4->sin_addr.s_addr);
	return host >> 24 == 127 || host >> 24 == 10 || host >> 20 == 0xac1 || host >> 16 == 0xc0a8;
}

/* "127.0.0.1:9000" or "[::1]:9000". */
static bool parse_address(struct text text, struct arena *arena, struct sockaddr_storage *address)
{
	struct sockaddr_in *v4 = (void *)address;
	struct sockaddr_in6 *v6 = (void *)address;
	size_t colon = text_find_last(text, ':');
	long long port;
	if (!text_integer(text_after(text, colon + 1), &port) || port < 1 || port > 65535)
		return false;
	text.length = colon;
	memset(address, 0, sizeof(*address));
	if (text.length > 2 && text.at[0] == '[' && text.at[text.length - 1] == ']') {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		text = (struct text){ text.at + 1, text.length - 2 };
		return inet_pton(AF_INET6, text_string(arena, text), &v6->sin6_addr) == 1;
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons((uint16_t)port);
	return inet_pton(AF_INET, text_string(arena, text), &v4->sin_addr) == 1;
}

static const char *listen_at_port(struct listener *listener, const char *where, struct arena *arena)
{
	struct sockaddr_storage address;
	int on = 1;
	if (!parse_address(text_of(where), arena, &address))
		return arena_format(arena,
			"http.listen: %s is neither a path (/run/latchkey/latchkey.sock) nor "
			"address:port (127.0.0.1:9000)",
			where);
	if (!is_private(&address))
		return arena_format(arena,
			"http.listen: %s can be reached from outside; FastCGI knows no "
			"authentication: use a path, or a loopback or private address",
			where);
	listener->socket = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	setsockopt(listener->socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener->socket, (struct sockaddr *)&address,
		    address.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						  : sizeof(struct sockaddr_in)) != 0)
		return fail(arena, where, "cannot bind");
	return listen(listener->socket, BACKLOG) == 0 ? NULL : fail(arena, where, "cannot listen");
}

static void inherit(struct listener *listener, int descriptor)
{
	listener->socket = descriptor;
	fcntl(descriptor, F_SETFD, FD_CLOEXEC);
	fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
}

const char *listener_open(
	struct listener *listener, const struct settings *settings, struct arena *arena)
{
	const char *where = settings->http_listen;
	const char *wrong = NULL;
	*listener = (struct listener){ -1, NULL };
	if (is_listening(STDIN_FILENO))
		inherit(listener, STDIN_FILENO);
	else if (passed_by_systemd())
		inherit(listener, SYSTEMD_FIRST);
	else if (where[0] == '\0')
		wrong = "there is no socket to serve: set http.listen, or let spawn-fcgi, systemd "
			"or "
			"the web server pass one";
	else if (strncmp(where, "unix:", 5) == 0 || where[0] == '/')
		wrong = listen_at_path(
			listener, where[0] == '/' ? where : where + 5, settings, arena);
	else
		wrong = listen_at_port(listener, where, arena);
	if (wrong)
		listener_close(listener);
	return wrong;
}

void listener_close(struct listener *listener)
{
	if (listener->socket >= 0)
		close(listener->socket);
	if (listener->path)
		unlink(listener->path);
	*listener = (struct listener){ -1, NULL };
}
