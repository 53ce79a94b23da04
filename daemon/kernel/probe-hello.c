/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>

#include "daemon/kernel/probe-hello.h"
#include "lib/socket.h"

/*
 * It reads the type information of the kernel and all modules, which takes a minute where
 * all is slow. Where it ends without an answer that is noticed at once.
 */
#define ANSWER_USEC (300 * 1000000ULL)

struct probe_hello_call {
	int fd;
	sd_event_source *io, *timeout;
	probe_hello_handler handler;
	void *userdata;
};

struct probe_hello_call *probe_hello_call_free(struct probe_hello_call *c)
{
	if (!c)
		return NULL;
	sd_event_source_disable_unref(c->io);
	sd_event_source_disable_unref(c->timeout);
	closep(&c->fd);
	free(c);
	return NULL;
}

static int fail(struct probe_hello_call *c, const char *reason)
{
	(void)sd_event_source_set_enabled(c->io, SD_EVENT_OFF);
	(void)sd_event_source_set_enabled(c->timeout, SD_EVENT_OFF);
	return c->handler(NULL, reason, c->userdata);
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata)
{
	return fail(userdata, "pinguard-probe does not answer");
}

/* As many as there are; what is too much the kernel has dropped. */
static size_t take_fds(struct msghdr *message, int fds[PROBE_FDS])
{
	struct cmsghdr *c;
	size_t n = 0;

	for (c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(c), n * sizeof(int));
	}
	return n;
}

static int answer(struct probe_hello_call *c, struct probe_hello *hello, int fds[PROBE_FDS],
		  size_t n)
{
	hello->reason[sizeof(hello->reason) - 1] = '\0';
	if (hello->layout != PROBE_LAYOUT)
		return fail(c, "pinguard-probe is of another version");
	if (hello->n_fds == 0)
		return fail(c, *hello->reason ? hello->reason : "pinguard-probe gives no reason");
	if (n != PROBE_FDS || hello->n_fds != PROBE_FDS)
		return fail(c, "pinguard-probe sends no maps");
	(void)sd_event_source_set_enabled(c->io, SD_EVENT_OFF);
	(void)sd_event_source_set_enabled(c->timeout, SD_EVENT_OFF);
	return c->handler(fds, NULL, c->userdata);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int) * PROBE_FDS)];
	} control = {};
	struct probe_hello hello;
	struct iovec data = { &hello, sizeof(hello) };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct probe_hello_call *c = userdata;
	int fds[PROBE_FDS], r;
	ssize_t n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	size_t n_fds;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	n_fds = n > 0 ? take_fds(&message, fds) : 0;
	if (n != sizeof(hello))
		r = fail(c, n > 0 ? "pinguard-probe is of another version" :
				    "pinguard-probe has ended without an answer");
	else
		r = answer(c, &hello, fds, n_fds);
	for (size_t i = 0; i < n_fds; i++)
		closep(&fds[i]);
	return r;
}

static int start(struct probe_hello_call *c, sd_event *event, const char *path)
{
	struct sockaddr_un address;
	socklen_t length;
	int r = socket_address(path, &address, &length);

	if (r < 0)
		return r;
	c->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Whether it waits for connections or not, this does not. */
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, length) < 0)
		return -errno;
	r = sd_event_add_io(event, &c->io, c->fd, EPOLLIN, on_io, c);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(c->io, "probe-hello");
	(void)sd_event_source_set_exit_on_failure(c->io, true);
	r = sd_event_add_time_relative(event, &c->timeout, CLOCK_MONOTONIC, ANSWER_USEC, 0,
				       on_timeout, c);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(c->timeout, "probe-hello-timeout");
	return sd_event_source_set_exit_on_failure(c->timeout, true);
}

int probe_hello_call(sd_event *event, const char *path, probe_hello_handler handler,
		     void *userdata, struct probe_hello_call **ret)
{
	_cleanup_(probe_hello_call_freep) struct probe_hello_call *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->fd = -1;
	c->handler = handler;
	c->userdata = userdata;
	r = start(c, event, path);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(c);
	return 0;
}
