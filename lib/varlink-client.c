/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/socket.h"
#include "lib/varlink.h"

struct varlink_client {
	int fd, interrupt_fd;
	uint64_t timeout_usec;
	struct varlink_reader reader;
	struct varlink_writer writer;
	/* A message that was looked at, and is there yet. */
	const char *text;
	size_t size;
};

static uint64_t deadline_of(uint64_t timeout_usec)
{
	uint64_t deadline;

	return __builtin_add_overflow(clock_usec(CLOCK_MONOTONIC), timeout_usec, &deadline) ? UINT64_MAX :
										       deadline;
}

int varlink_client_connect(const char *path, uint64_t timeout_usec, struct varlink_client **ret)
{
	_cleanup_(varlink_client_freep) struct varlink_client *client = NULL;
	struct timeval timeout = { .tv_sec = (time_t)(timeout_usec / 1000000),
				   .tv_usec = (suseconds_t)(timeout_usec % 1000000) };
	struct sockaddr_un address;
	socklen_t length;
	int r;

	r = socket_address(path, &address, &length);
	if (r < 0)
		return r;
	client = calloc(1, sizeof(*client));
	if (!client)
		return -ENOMEM;
	client->interrupt_fd = -1;
	client->timeout_usec = timeout_usec;
	varlink_reader_init(&client->reader, VARLINK_REPLY_MAX_BYTES);
	varlink_writer_init(&client->writer);

	/*
	 * Blocking until it is connected: a non-blocking connect() to a full
	 * backlog fails at once and cannot be polled for.
	 */
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		return -errno;
	if (setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0)
		return -errno;
	if (connect(client->fd, (struct sockaddr *)&address, length) < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	if (fcntl(client->fd, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	*ret = TAKE_PTR(client);
	return 0;
}

struct varlink_client *varlink_client_free(struct varlink_client *client)
{
	if (client) {
		varlink_reader_done(&client->reader);
		varlink_writer_done(&client->writer);
		if (client->fd >= 0)
			close(client->fd);
		free(client);
	}
	return NULL;
}

void varlink_client_set_interrupt(struct varlink_client *client, int fd)
{
	client->interrupt_fd = fd;
}

/* Waits for @events on the socket; 0, -ETIMEDOUT, -EINTR. */
static int wait_for(struct varlink_client *client, short events, uint64_t deadline)
{
	struct pollfd fds[] = { { .fd = client->fd, .events = events },
				{ .fd = client->interrupt_fd, .events = POLLIN } };
	struct timespec ts, *timeout = NULL;
	int r;

	do {
		if (deadline != UINT64_MAX) {
			uint64_t now = clock_usec(CLOCK_MONOTONIC), left = deadline > now ? deadline - now : 0;

			ts.tv_sec = (time_t)(left / 1000000);
			ts.tv_nsec = (long)(left % 1000000) * 1000;
			timeout = &ts;
		}
		r = ppoll(fds, ARRAY_SIZE(fds), timeout, NULL);
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	if (fds[1].revents)
		return -EINTR;
	return r == 0 ? -ETIMEDOUT : 0;
}

static int send_call(struct varlink_client *client, const char *method, json_t *parameters,
		     bool more)
{
	uint64_t deadline = deadline_of(client->timeout_usec);
	int r;

	r = varlink_writer_call(&client->writer, method, parameters, more);
	while (r == 0) {
		r = varlink_writer_send(&client->writer, client->fd);
		/* one that is closed may have said why */
		if (r == -EPIPE || r == -ECONNRESET)
			return 0;
		if (r < 0 || varlink_writer_queued(&client->writer) == 0)
			break;
		r = wait_for(client, POLLOUT, deadline);
	}
	return r;
}

static int read_text(struct varlink_client *client, uint64_t deadline, const char **ret_text,
		     size_t *ret_size)
{
	void *room;
	size_t size;
	ssize_t n;
	int r;

	for (;;) {
		r = varlink_reader_next(&client->reader, ret_text, ret_size);
		if (r != 0)
			return MIN(r, 0);
		r = varlink_reader_reserve(&client->reader, &room, &size);
		if (r < 0)
			return r;
		r = wait_for(client, POLLIN, deadline);
		if (r < 0)
			return r;
		n = recv(client->fd, room, size, MSG_DONTWAIT);
		if (n == 0)
			return -ECONNRESET;
		if (n > 0)
			varlink_reader_commit(&client->reader, (size_t)n);
		else if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
}

static int read_message(struct varlink_client *client, uint64_t deadline, json_t **ret)
{
	const char *text = TAKE_PTR(client->text);
	size_t size = client->size;
	int r = text ? 0 : read_text(client, deadline, &text, &size);

	return r < 0 ? r : varlink_parse(text, size, ret);
}

static bool take_end(const char *text, size_t *size, const char *end)
{
	size_t length = strlen(end);

	if (*size < length || memcmp(text + *size - length, end, length) != 0)
		return false;
	*size -= length;
	return true;
}

int varlink_client_next_text(struct varlink_client *client, uint64_t timeout_usec,
			     char **ret_parameters, size_t *ret_size, bool *ret_continues)
{
	const size_t begin = strlen(VARLINK_REPLY_BEGIN);
	const char *text;
	size_t size;
	int r;

	r = read_text(client, deadline_of(timeout_usec), &text, &size);
	if (r < 0)
		return r;
	client->text = text;
	client->size = size;
	if (size < begin || memcmp(text, VARLINK_REPLY_BEGIN, begin) != 0 ||
	    !take_end(text, &size, VARLINK_REPLY_END))
		return 0;
	*ret_continues = take_end(text, &size, VARLINK_REPLY_CONTINUES);
	if (size < begin + 2 || text[begin] != '{' || text[size - 1] != '}')
		return 0;
	client->text = NULL;
	/* in the reader's own buffer */
	*ret_parameters = (char *)text + begin;
	*ret_size = size - begin;
	return 1;
}

int varlink_client_next(struct varlink_client *client, uint64_t timeout_usec,
			json_t **ret_parameters, char **ret_error, bool *ret_continues)
{
	_cleanup_json_ json_t *message = NULL;
	json_t *parameters, *error;
	char *name = NULL;
	int r;

	r = read_message(client, deadline_of(timeout_usec), &message);
	if (r < 0)
		return r;
	parameters = json_object_get(message, "parameters");
	error = json_object_get(message, "error");
	if ((parameters && !json_is_object(parameters) && !json_is_null(parameters)) ||
	    (error && !json_is_string(error)))
		return -EBADMSG;
	if (error) {
		name = strdup(json_string_value(error));
		if (!name)
			return -ENOMEM;
	}
	parameters = json_is_object(parameters) ? json_incref(parameters) : json_object();
	if (!parameters) {
		free(name);
		return -ENOMEM;
	}
	*ret_parameters = parameters;
	*ret_error = name;
	*ret_continues = !error && json_get_bool(message, "continues", false);
	return 0;
}

int varlink_client_call(struct varlink_client *client, const char *method, json_t *parameters,
			json_t **ret_parameters, char **ret_error)
{
	bool continues;
	int r;

	r = send_call(client, method, parameters, false);
	if (r < 0)
		return r;
	r = varlink_client_next(client, client->timeout_usec, ret_parameters, ret_error, &continues);
	if (r == 0 && continues) {
		json_decref(TAKE_PTR(*ret_parameters));
		return -EBADMSG;
	}
	return r;
}

int varlink_client_call_more(struct varlink_client *client, const char *method,
			     json_t *parameters)
{
	return send_call(client, method, parameters, true);
}
