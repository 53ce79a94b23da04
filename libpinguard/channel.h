/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PINGUARD_CHANNEL_H
#define PINGUARD_CHANNEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lib/varlink.h"

/* One connection to the service, and the timer after which it is tried again. */

#define CHANNEL_BACKOFF_MIN_USEC 100000
#define CHANNEL_BACKOFF_MAX_USEC 5000000

struct channel {
	int epoll_fd; /* borrowed */
	int fd, timer_fd;
	uint32_t events; /* that epoll waits for at fd */
	uint64_t backoff_usec, since_usec;
	struct varlink_reader reader;
	struct varlink_writer writer;
};

/** channel_init() - not connected, the timer off; -1 for @epoll_fd and then only channel_done() */
int channel_init(struct channel *channel, int epoll_fd);

/** channel_done() - @own: this is the process that made it, and the connection ends for all */
void channel_done(struct channel *channel, bool own);

/** channel_arm() - have the timer expire after @usec */
int channel_arm(struct channel *channel, uint64_t usec);

/** channel_due() - whether the timer expired since the last call */
bool channel_due(struct channel *channel);

/** channel_connect() - 0 for a connection; -EAGAIN where the service has too many that wait */
int channel_connect(struct channel *channel, const struct sockaddr_un *address, socklen_t length);

/** channel_drop() - end the connection and leave the timer off */
void channel_drop(struct channel *channel);

/** channel_retry() - end the connection and have the timer expire when it is to be tried again */
int channel_retry(struct channel *channel);

/** channel_send() - send what is queued; that the other end is gone is left to channel_receive() */
int channel_send(struct channel *channel);

/**
 * channel_receive() - read once
 *
 * Take all messages out of the reader first.
 *
 * Return: 1 bytes were read; 0 there are none now; -ECONNRESET at the end
 */
int channel_receive(struct channel *channel);

#endif
