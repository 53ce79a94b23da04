/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Carries messages: reads them by turns, and sends what is queued. */
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <utlist.h>

#include "daemon/base/base.h"
#include "daemon/varlink/internal.h"
#include "lib/json.h"
#include "lib/log.h"

struct connection *connection_ref(struct connection *connection)
{
	connection->n_ref++;
	return connection;
}

struct connection *connection_unref(struct connection *connection)
{
	if (connection && --connection->n_ref == 0) {
		peer_done(&connection->peer);
		varlink_reader_done(&connection->reader);
		varlink_writer_done(&connection->writer);
		free(connection);
	}
	return NULL;
}

static void set_ready(struct connection *connection, bool ready)
{
	struct user *user = connection->user;

	if (connection->ready == ready)
		return;
	connection->ready = ready;
	if (ready)
		DL_APPEND2(user->ready, connection, ready_prev, ready_next);
	else
		DL_DELETE2(user->ready, connection, ready_prev, ready_next);
}

void connection_close(struct connection *connection)
{
	struct server *server = TAKE_PTR(connection->server);

	if (!server)
		return;
	connection->io = sd_event_source_disable_unref(connection->io);
	connection->work = sd_event_source_disable_unref(connection->work);
	connection->deadline = sd_event_source_disable_unref(connection->deadline);
	set_ready(connection, false);
	close(TAKE_FD(connection->fd));
	varlink_reader_done(&connection->reader);
	varlink_writer_done(&connection->writer);
	if (connection->call)
		server->watch->gone(connection);
	DL_DELETE(server->connections, connection);
	user_disconnected(TAKE_PTR(connection->user));
	connection_unref(connection);
}

void connection_drop(struct connection *connection, const char *why)
{
	if (connection->dropped)
		return;
	connection->dropped = true;
	log_notice("Dropping a connection of uid %u, process %d: %s",
		   (unsigned int)connection->peer.uid, (int)connection->peer.pid, why);
	connection_schedule(connection);
}

/* One error for what is no call, then the end: the stream cannot be trusted any more. */
static int reject(struct connection *connection, const char *reason)
{
	_cleanup_json_ json_t *message = NULL;
	char name[256];

	snprintf(name, sizeof(name), "%s.InvalidMessage",
		 connection->server->config.error_interface);
	message = json_pack("{s:s, s:{s:s}}", "error", name, "parameters", "reason", reason);
	connection->closing = true;
	log_debug("uid %u, process %d sent what is no call: %s",
		  (unsigned int)connection->peer.uid, (int)connection->peer.pid, reason);
	if (!message)
		return -ENOMEM;
	return varlink_writer_add(&connection->writer, message, VARLINK_REPLY_MAX_BYTES, SIZE_MAX);
}

/* Takes one message up; 1 where there was one, 0 where there was none. */
static int take_message(struct connection *connection)
{
	_cleanup_json_ json_t *message = NULL;
	const char *text;
	size_t size;
	int r;

	r = varlink_reader_next(&connection->reader, &text, &size);
	if (r == -EMSGSIZE)
		return reject(connection, "it is larger than 1 MiB");
	if (r <= 0)
		return r;
	r = varlink_parse(text, size, &message);
	if (r == -ELOOP)
		r = reject(connection, "it is nested too deeply");
	else if (r == -EBADMSG)
		r = reject(connection, "it is no JSON object");
	else if (r == 0)
		r = connection->server->watch->message(connection, message);
	if (r == -EINVAL)
		r = reject(connection, "it is no varlink call");
	connection->deadline_stale = true;
	return r < 0 ? r : 1;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct connection *connection = userdata;

	log_debug("uid %u, process %d left a message unfinished",
		  (unsigned int)connection->peer.uid, (int)connection->peer.pid);
	connection_close(connection);
	return 0;
}

static bool may_dispatch(const struct connection *connection)
{
	return !connection->call && !connection->closing &&
	       varlink_writer_queued(&connection->writer) < SERVER_QUEUE_HIGH_BYTES;
}

/* The deadline runs from the first byte of a message, however slowly the rest drips in. */
static int update_deadline(struct connection *connection)
{
	bool wanted = connection->closing ||
		      (may_dispatch(connection) && varlink_reader_pending(&connection->reader));
	int r;

	if (wanted == connection->deadline_armed && !connection->deadline_stale)
		return 0;
	connection->deadline_armed = wanted;
	connection->deadline_stale = false;
	if (!wanted)
		return sd_event_source_set_enabled(connection->deadline, SD_EVENT_OFF);
	r = sd_event_source_set_time_relative(connection->deadline,
					      connection->server->config.message_timeout_usec);
	return r < 0 ? r : sd_event_source_set_enabled(connection->deadline, SD_EVENT_ONESHOT);
}

static bool may_receive(const struct connection *connection)
{
	return connection->hungry && !connection->eof && may_dispatch(connection);
}

static int update_events(struct connection *connection)
{
	uint32_t events = 0;
	int r;

	if (may_receive(connection))
		events |= EPOLLIN;
	if (varlink_writer_queued(&connection->writer) > 0)
		events |= EPOLLOUT;
	r = sd_event_source_set_io_events(connection->io, events);
	/* A hangup is told again and again, asked for or not: once is enough. */
	if (r >= 0)
		r = sd_event_source_set_enabled(connection->io, events || !connection->deaf ?
							SD_EVENT_ON : SD_EVENT_OFF);
	return r < 0 ? r : update_deadline(connection);
}

static int send_queue(struct connection *connection)
{
	int r = varlink_writer_send(&connection->writer, connection->fd);

	if (r == -EPIPE || r == -ECONNRESET) {
		/* what it sent before it left still counts */
		connection->deaf = true;
		varlink_writer_done(&connection->writer);
		return 0;
	}
	return r;
}

static int on_turn(sd_event_source *source, void *userdata);

/* Has the user's next turn take up a message. */
static int wait_for_turn(struct connection *connection)
{
	struct user *user = connection->user;

	set_ready(connection, true);
	return turn_schedule(user->server->event, &user->turn, on_turn, user,
			     "server-user-turn");
}

/* All that is due but for messages; 1 where the connection is at its end. */
static int work(struct connection *connection)
{
	size_t queued;
	int r;

	connection->work = sd_event_source_disable_unref(connection->work);
	if (connection->dropped)
		return 1;
	if (connection->blocked && !connection->deaf &&
	    varlink_writer_queued(&connection->writer) <= SERVER_QUEUE_LOW_BYTES) {
		connection->blocked = false;
		connection->server->watch->drained(connection);
	}
	if (connection->hungry && connection->eof)
		connection->closing = true;

	r = send_queue(connection);
	if (r < 0)
		return r;
	queued = varlink_writer_queued(&connection->writer);
	if (connection->deaf && connection->call)
		return 1;
	if (connection->closing && !connection->call && queued == 0)
		return 1;
	if (connection->blocked && queued <= SERVER_QUEUE_LOW_BYTES)
		connection_schedule(connection);
	if (!connection->hungry && may_dispatch(connection)) {
		r = wait_for_turn(connection);
		if (r < 0)
			return r;
	}
	return update_events(connection);
}

/* @r is what became of it; ends it where that is an error or the end. */
static void settle(struct connection *connection, int r)
{
	if (r == 0)
		r = work(connection);
	if (r < 0)
		(void)log_debug_errno(r, "A connection of uid %u failed: %m",
				      (unsigned int)connection->peer.uid);
	if (r != 0)
		connection_close(connection);
}

/*
 * Calls are answered by turns, one call at a time: however many connections a
 * user has and calls it sends, another user waits for one of them.
 */
static int on_turn(sd_event_source *source, void *userdata)
{
	struct user *user = userdata;
	_cleanup_(connection_unrefp) struct connection *connection = NULL;
	int r = 0;

	if (!user->ready)
		return 0;
	connection = connection_ref(user->ready);
	set_ready(connection, false);
	/* now, for the user may be gone with its last connection */
	if (user->ready)
		r = turn_schedule(user->server->event, &user->turn, on_turn, user,
				  "server-user-turn");
	if (r == 0 && may_dispatch(connection)) {
		r = take_message(connection);
		connection->hungry = r == 0;
		r = MIN(r, 0);
	}
	settle(connection, r);
	return 0;
}

static int on_work(sd_event_source *source, void *userdata)
{
	_cleanup_(connection_unrefp) struct connection *connection = connection_ref(userdata);

	settle(connection, 0);
	return 0;
}

void connection_schedule(struct connection *connection)
{
	int r = connection->server ? turn_schedule(connection->server->event, &connection->work,
						   on_work, connection, "server-connection-work") :
				     0;

	if (r < 0)
		(void)log_error_errno(r, "Cannot schedule a connection's work: %m");
}

static int receive(struct connection *connection)
{
	void *room;
	size_t size;
	ssize_t n;
	int r = varlink_reader_reserve(&connection->reader, &room, &size);

	if (r < 0)
		return r;
	n = recv(connection->fd, room, size, MSG_DONTWAIT);
	if (n > 0) {
		varlink_reader_commit(&connection->reader, (size_t)n);
		connection->hungry = false;
	} else if (n == 0 || errno == ECONNRESET) {
		connection->eof = true;
	} else if (errno != EAGAIN && errno != EINTR) {
		return -errno;
	}
	return 0;
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	_cleanup_(connection_unrefp) struct connection *connection = connection_ref(userdata);
	int r = 0;

	/* Gone in both directions; what it sent before is still in the socket. */
	if (revents & (EPOLLHUP | EPOLLERR))
		connection->deaf = true;
	if (may_receive(connection))
		r = receive(connection);
	settle(connection, r);
	return 0;
}

static int add_sources(struct connection *connection)
{
	sd_event *event = connection->server->event;
	int r;

	r = sd_event_add_io(event, &connection->io, connection->fd, EPOLLIN, on_io, connection);
	if (r >= 0)
		r = sd_event_add_time(event, &connection->deadline, CLOCK_MONOTONIC, 0, 0,
				      on_deadline, connection);
	if (r >= 0)
		r = sd_event_source_set_enabled(connection->deadline, SD_EVENT_OFF);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(connection->io, "server-connection");
	(void)sd_event_source_set_description(connection->deadline, "server-connection-deadline");
	return 0;
}

int connection_new(struct server *server, int fd, struct peer *peer, struct user *user)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	int r;

	if (!connection)
		return -ENOMEM;
	connection->n_ref = 1;
	connection->server = server;
	connection->user = user;
	connection->fd = fd;
	connection->hungry = true;
	connection->peer.pidfd = -1;
	varlink_reader_init(&connection->reader, VARLINK_CALL_MAX_BYTES);
	varlink_writer_init(&connection->writer);
	r = add_sources(connection);
	if (r < 0) {
		sd_event_source_disable_unref(connection->io);
		sd_event_source_disable_unref(connection->deadline);
		connection_unref(connection);
		return r;
	}
	connection->peer = *peer;
	*peer = (struct peer){ .pidfd = -1 };
	DL_APPEND(server->connections, connection);
	user_connected(user);
	return 0;
}
