/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of socket diagnostics about AF_XDP: who has memory for packets. No I/O. */
#ifndef PINGUARD_KERNEL_XDPMSG_H
#define PINGUARD_KERNEL_XDPMSG_H

#include <linux/netlink.h>
#include <stdint.h>

struct nl_msg;

/* The memory of a socket; sockets may share one. */
struct xdp_umem {
	uint32_t id;
	uint32_t pages;
	uint32_t uid; /* of the socket; PIN_UID_NONE where it is not told */
	uint32_t ifindex; /* 0 while it is bound to no device */
};

/* Asks for all of them; NULL when out of memory */
struct nl_msg *xdpmsg_request(void);
int xdpmsg_type(void);
/* -ENODATA: a socket without memory; -EBADMSG */
int xdpmsg_parse(const struct nlmsghdr *nlh, struct xdp_umem *ret);

#endif
