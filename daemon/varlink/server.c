/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets that are listened on, and who is let in. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <utlist.h>

#include "daemon/varlink/internal.h"
#include "lib/log.h"
#include "lib/socket.h"

#define ACCEPTS_PER_ROUND 64

static void set_accepting(struct server *server, int enabled)
{
	struct listener *listener;

	LL_FOREACH(server->listeners, listener)
		(void)sd_event_source_set_enabled(listener->source, enabled);
}

static int on_resume(sd_event_source *source, uint64_t usec, void *userdata)
{
	set_accepting(userdata, SD_EVENT_ON);
	return 0;
}

/* Calls are what connections carry. */
static const struct connection_watch calls = {
	.message = call_dispatch,
	.drained = call_drained,
	.gone = call_gone,
};

/* All that is called and described: org.varlink.service, and what the config has. */
static int set_tables(struct server *server)
{
	const struct server_config *config = &server->config;
	size_t n = 0;

	server->methods[0] = (struct method_table){ service_methods, server };
	server->methods[1] = (struct method_table){ config->methods, config->userdata };
	while (config->interfaces[n].name)
		n++;
	server->interfaces = calloc(n + 2, sizeof(*server->interfaces));
	if (!server->interfaces)
		return -ENOMEM;
	server->interfaces[0] = service_interface;
	memcpy(&server->interfaces[1], config->interfaces, n * sizeof(*server->interfaces));
	return 0;
}

int server_new(sd_event *event, const struct server_config *config, struct server **ret)
{
	_cleanup_(server_freep) struct server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return -ENOMEM;
	server->event = sd_event_ref(event);
	server->config = *config;
	if (!server->config.message_timeout_usec)
		server->config.message_timeout_usec = SERVER_MESSAGE_TIMEOUT_USEC;
	server->watch = &calls;
	r = set_tables(server);
	if (r < 0)
		return r;
	/* now, for it needs a file descriptor when there may be none */
	r = sd_event_add_time(event, &server->resume, CLOCK_MONOTONIC, 0, 0, on_resume, server);
	if (r >= 0)
		r = sd_event_source_set_enabled(server->resume, SD_EVENT_OFF);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(server->resume, "server-resume");
	*ret = TAKE_PTR(server);
	return 0;
}

struct server *server_free(struct server *server)
{
	struct listener *listener, *next_listener;
	struct connection *connection, *next_connection;

	if (!server)
		return NULL;
	LL_FOREACH_SAFE(server->listeners, listener, next_listener) {
		sd_event_source_disable_unref(listener->source);
		free(listener);
	}
	sd_event_source_disable_unref(server->resume);
	DL_FOREACH_SAFE(server->connections, connection, next_connection) {
		/* last words, as far as the socket takes them */
		(void)varlink_writer_send(&connection->writer, connection->fd);
		connection_close(connection);
	}
	sd_event_unref(server->event);
	free(server->interfaces);
	free(server);
	return NULL;
}

unsigned int server_n_connections(const struct server *server)
{
	return server->n_connections;
}

/* Say why in place of the first reply, as far as the socket takes it. */
static void refuse(struct server *server, int fd, const char *limit, int max)
{
	char message[256];
	int length = snprintf(message, sizeof(message),
			      "{\"error\":\"%s.LimitExceeded\","
			      "\"parameters\":{\"limit\":\"%s\",\"max\":%d}}",
			      server->config.error_interface, limit, max);

	(void)send(fd, message, (size_t)length + 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int server_add_connection(struct server *server, int fd)
{
	_cleanup_(closep) int owned_fd = fd;
	_cleanup_(peer_done) struct peer peer = { .pidfd = -1 };
	const char *limit;
	struct user *user;
	int r, max;

	r = fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ? -errno : peer_init(&peer, fd);
	if (r < 0)
		return r;
	user = user_get(server, peer.uid);
	if (!user)
		return -ENOMEM;
	limit = user_over_limit(user, &max);
	if (limit)
		refuse(server, fd, limit, max);
	r = limit ? -EUSERS : connection_new(server, fd, &peer, user);
	if (r < 0) {
		user_put(user);
		return r;
	}
	TAKE_FD(owned_fd);
	return 0;
}

/* The listener stays readable while accept() fails: waiting is all that does not spin. */
static int pause_accepting(struct server *server, int error)
{
	int r;

	log_warning_errno(error, "Cannot accept connections for a while: %m");
	set_accepting(server, SD_EVENT_OFF);
	r = sd_event_source_set_time_relative(server->resume, SERVER_ACCEPT_PAUSE_USEC);
	return r < 0 ? r : sd_event_source_set_enabled(server->resume, SD_EVENT_ONESHOT);
}

static bool out_of_resources(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static int on_accept(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct listener *listener = userdata;

	for (unsigned int i = 0; i < ACCEPTS_PER_ROUND; i++) {
		int r, client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (client < 0) {
			if (errno == EAGAIN)
				return 0;
			if (errno == EINTR || errno == ECONNABORTED)
				continue;
			if (out_of_resources(errno))
				return pause_accepting(listener->server, errno);
			return log_error_errno(errno, "Cannot accept connections: %m");
		}
		r = server_add_connection(listener->server, client);
		if (r < 0 && r != -EUSERS)
			(void)log_warning_errno(r, "Cannot serve a connection: %m");
	}
	return 0;
}

int server_listen_fd(struct server *server, int fd)
{
	struct listener *listener;
	int r, accepting = 0, domain = 0, type = 0;
	socklen_t size = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepting, &size) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
		return -errno;
	if (!accepting || domain != AF_UNIX || type != SOCK_STREAM)
		return -EINVAL;
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;

	listener = calloc(1, sizeof(*listener));
	if (!listener)
		return -ENOMEM;
	listener->server = server;
	r = sd_event_add_io(server->event, &listener->source, fd, EPOLLIN, on_accept, listener);
	if (r >= 0)
		r = sd_event_source_set_exit_on_failure(listener->source, true);
	if (r >= 0)
		r = sd_event_source_set_io_fd_own(listener->source, true);
	if (r < 0) {
		sd_event_source_disable_unref(listener->source);
		free(listener);
		return r;
	}
	(void)sd_event_source_set_description(listener->source, "server-listener");
	LL_PREPEND(server->listeners, listener);
	return 0;
}

/* Binds to @path; a socket there that nobody answers is a dead service's. */
static int bind_path(int fd, const char *path, const struct sockaddr_un *address, socklen_t length)
{
	const struct sockaddr *any = (const struct sockaddr *)address;
	_cleanup_(closep) int probe = -1;
	struct stat st;

	if (bind(fd, any, length) == 0)
		return 0;
	if (errno != EADDRINUSE || path[0] == '@')
		return -errno;
	if (lstat(path, &st) < 0)
		return -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (probe < 0)
		return -errno;
	if (connect(probe, any, length) == 0 || errno != ECONNREFUSED)
		return -EADDRINUSE;
	if (unlink(path) < 0 || bind(fd, any, length) < 0)
		return -errno;
	return 0;
}

int server_listen_path(struct server *server, const char *path)
{
	_cleanup_(closep) int fd = -1;
	struct sockaddr_un address;
	socklen_t length;
	int r;

	r = socket_address(path, &address, &length);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = bind_path(fd, path, &address, length);
	if (r < 0)
		return r;
	/* Who may do what is decided at each call. */
	if (path[0] != '@' && chmod(path, 0666) < 0)
		return -errno;
	if (listen(fd, SOMAXCONN) < 0)
		return -errno;
	r = server_listen_fd(server, fd);
	if (r == 0)
		TAKE_FD(fd);
	return r;
}
