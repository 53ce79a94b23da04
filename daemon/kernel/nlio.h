/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Netlink sockets that never block, with extended acks and strict checking. */
#ifndef PINGUARD_KERNEL_NLIO_H
#define PINGUARD_KERNEL_NLIO_H

#include <linux/netlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdint.h>

#include "lib/macros.h"

DEFINE_CLEANUP(struct nl_msg *, nlmsg_free);

/* 0, or a negative errno; not more than one message of this socket's is under way */
int nlio_socket(int protocol, struct nl_sock **ret);
/* Past the system's limit where permitted. */
int nlio_set_rcvbuf(struct nl_sock *sk, int bytes);
int nlio_join(struct nl_sock *sk, int group);
/* group: NULL for none, with ret_group; -ENOENT: no such family, or group */
int nlio_resolve(const char *family, const char *group, int *ret_family, int *ret_group);

int nlio_send(struct nl_sock *sk, struct nl_msg *msg);
int nlio_send_genl(struct nl_sock *sk, int family, uint8_t cmd, int flags);

/*
 * Reads one datagram and hands on its messages, until one makes the handler
 * return other than 0; that is the result then. -EAGAIN: nothing there;
 * -ENOBUFS: the kernel dropped messages; -EMSGSIZE: one did not fit;
 * -EBADMSG: what came is no netlink. A handler may read another socket, to a
 * depth of NLIO_DEPTH_MAX; beyond it the answer is -ELOOP.
 */
#define NLIO_DEPTH_MAX 3
typedef int (*nlio_handler)(const struct nlmsghdr *nlh, void *userdata);
int nlio_recv(int fd, nlio_handler handler, void *userdata);

#endif
