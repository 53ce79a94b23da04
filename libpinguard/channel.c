/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include "lib/clock.h"
#include "libpinguard/channel.h"

static int watch(int epoll_fd, int operation, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return epoll_ctl(epoll_fd, operation, fd, &event) < 0 ? -errno : 0;
}

int channel_init(struct channel *channel, int epoll_fd)
{
	*channel = (struct channel){ .epoll_fd = epoll_fd, .fd = -1, .timer_fd = -1 };
	varlink_reader_init(&channel->reader, VARLINK_REPLY_MAX_BYTES);
	varlink_writer_init(&channel->writer);
	if (epoll_fd < 0)
		return 0;
	channel->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (channel->timer_fd < 0)
		return -errno;
	return watch(epoll_fd, EPOLL_CTL_ADD, channel->timer_fd, EPOLLIN);
}

void channel_done(struct channel *channel, bool own)
{
	if (own)
		channel_drop(channel);
	closep(&channel->fd);
	closep(&channel->timer_fd);
	varlink_reader_done(&channel->reader);
	varlink_writer_done(&channel->writer);
	channel->fd = channel->timer_fd = -1;
}

static int set_timer(struct channel *channel, const struct itimerspec *spec)
{
	return timerfd_settime(channel->timer_fd, 0, spec, NULL) < 0 ? -errno : 0;
}

int channel_arm(struct channel *channel, uint64_t usec)
{
	struct itimerspec spec = {
		.it_value.tv_sec = (time_t)(usec / 1000000),
		/* all zeros would turn it off */
		.it_value.tv_nsec = usec > 0 ? (long)(usec % 1000000) * 1000 : 1,
	};

	return set_timer(channel, &spec);
}

bool channel_due(struct channel *channel)
{
	uint64_t expirations;

	return read(channel->timer_fd, &expirations, sizeof(expirations)) ==
	       (ssize_t)sizeof(expirations);
}

static int update_events(struct channel *channel)
{
	uint32_t events = EPOLLIN;
	int r;

	if (varlink_writer_queued(&channel->writer) > 0)
		events |= EPOLLOUT;
	if (events == channel->events)
		return 0;
	r = watch(channel->epoll_fd, EPOLL_CTL_MOD, channel->fd, events);
	if (r == 0)
		channel->events = events;
	return r;
}

int channel_connect(struct channel *channel, const struct sockaddr_un *address, socklen_t length)
{
	_cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return -errno;
	/* never under way: a Unix socket connects at once or not at all */
	if (connect(fd, (const struct sockaddr *)address, length) < 0)
		return -errno;
	r = watch(channel->epoll_fd, EPOLL_CTL_ADD, fd, EPOLLIN);
	if (r < 0)
		return r;
	channel->fd = TAKE_FD(fd);
	channel->events = EPOLLIN;
	channel->since_usec = clock_usec(CLOCK_MONOTONIC);
	return 0;
}

void channel_drop(struct channel *channel)
{
	static const struct itimerspec off;

	if (channel->timer_fd >= 0)
		(void)set_timer(channel, &off);
	if (channel->fd >= 0) {
		/*
		 * A child may hold copies of the fds: closing ours would neither
		 * end the connection nor take it out of the epoll.
		 */
		(void)watch(channel->epoll_fd, EPOLL_CTL_DEL, channel->fd, 0);
		(void)shutdown(channel->fd, SHUT_RDWR);
		close(TAKE_FD(channel->fd));
	}
	varlink_reader_done(&channel->reader);
	varlink_writer_done(&channel->writer);
}

int channel_retry(struct channel *channel)
{
	/* a service that takes connections and drops them is not asked all the time */
	if (channel->fd >= 0 && clock_usec(CLOCK_MONOTONIC) >= channel->since_usec + CHANNEL_BACKOFF_MAX_USEC)
		channel->backoff_usec = 0;
	channel_drop(channel);
	channel->backoff_usec = MIN(MAX(2 * channel->backoff_usec, CHANNEL_BACKOFF_MIN_USEC),
				    CHANNEL_BACKOFF_MAX_USEC);
	return channel_arm(channel, channel->backoff_usec);
}

int channel_send(struct channel *channel)
{
	int r = varlink_writer_send(&channel->writer, channel->fd);

	if (r == -EPIPE || r == -ECONNRESET) {
		/* one that is closed may have said why */
		varlink_writer_done(&channel->writer);
		r = 0;
	}
	return r < 0 ? r : update_events(channel);
}

int channel_receive(struct channel *channel)
{
	size_t size;
	ssize_t n;
	void *room;
	int r = varlink_reader_reserve(&channel->reader, &room, &size);

	if (r < 0)
		return r;
	n = recv(channel->fd, room, size, MSG_DONTWAIT);
	if (n == 0)
		return -ECONNRESET;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	varlink_reader_commit(&channel->reader, (size_t)n);
	return 1;
}
