/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/socket.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/kernel/nlio.h"

/* The kernel fills a datagram of a dump up to 32 KiB. */
#define BUFFER_BYTES (64 << 10)

DEFINE_CLEANUP(struct nl_sock *, nl_socket_free);

/* From libnl's numbers. */
static int nl_errno(int error)
{
	switch (-error) {
	case NLE_OBJ_NOTFOUND:
		return -ENOENT;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_AGAIN:
		return -EAGAIN;
	case NLE_AF_NOSUPPORT:
	case NLE_PROTO_MISMATCH:
	case NLE_OPNOTSUPP:
		return -EOPNOTSUPP;
	default:
		return -EIO;
	}
}

int nlio_socket(int protocol, struct nl_sock **ret)
{
	_cleanup_(nl_socket_freep) struct nl_sock *sk = nl_socket_alloc();
	const int one = 1;
	int fd, r;

	if (!sk)
		return -ENOMEM;
	nl_socket_disable_auto_ack(sk);
	r = nl_connect(sk, protocol);
	if (r < 0)
		return nl_errno(r);
	r = nl_socket_set_nonblocking(sk);
	if (r < 0)
		return nl_errno(r);
	fd = nl_socket_get_fd(sk);
	if (setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one)) < 0)
		return -errno;
	*ret = TAKE_PTR(sk);
	return 0;
}

int nlio_set_rcvbuf(struct nl_sock *sk, int bytes)
{
	int fd = nl_socket_get_fd(sk);

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) < 0)
		return -errno;
	return 0;
}

int nlio_join(struct nl_sock *sk, int group)
{
	/* Not libnl's call: it hides which error it was. */
	if (setsockopt(nl_socket_get_fd(sk), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
		       sizeof(group)) < 0)
		return -errno;
	return 0;
}

int nlio_resolve(const char *family, const char *group, int *ret_family, int *ret_group)
{
	_cleanup_(nl_socket_freep) struct nl_sock *sk = nl_socket_alloc();
	int f, g;

	if (!sk)
		return -ENOMEM;
	f = genl_connect(sk);
	if (f < 0)
		return nl_errno(f);
	f = genl_ctrl_resolve(sk, family);
	if (f < 0)
		return nl_errno(f);
	*ret_family = f;
	if (!group)
		return 0;
	g = genl_ctrl_resolve_grp(sk, family, group);
	if (g < 0)
		return nl_errno(g);
	*ret_group = g;
	return 0;
}

int nlio_send(struct nl_sock *sk, struct nl_msg *msg)
{
	int r = nl_send_auto(sk, msg);

	return r < 0 ? nl_errno(r) : 0;
}

int nlio_send_genl(struct nl_sock *sk, int family, uint8_t cmd, int flags)
{
	_cleanup_(nlmsg_freep) struct nl_msg *msg = nlmsg_alloc();

	if (!msg || !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, flags, cmd, 1))
		return -ENOMEM;
	return nlio_send(sk, msg);
}

static int receive(int fd, char *buffer, nlio_handler handler, void *userdata)
{
	struct sockaddr_nl from = {};
	struct iovec iov = { .iov_base = buffer, .iov_len = BUFFER_BYTES };
	struct msghdr mh = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	struct nlmsghdr *nlh;
	ssize_t n;
	int left, r;

	do
		n = recvmsg(fd, &mh, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (mh.msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	/* Any process may send to this socket. */
	if (from.nl_pid != 0)
		return 0;

	left = n;
	for (nlh = (struct nlmsghdr *)buffer; nlmsg_ok(nlh, left); nlh = nlmsg_next(nlh, &left)) {
		r = handler(nlh, userdata);
		if (r != 0)
			return r;
	}
	return left > 0 ? -EBADMSG : 0;
}

int nlio_recv(int fd, nlio_handler handler, void *userdata)
{
	/* One for all at each depth: the loop has no threads. */
	static char buffers[NLIO_DEPTH_MAX][BUFFER_BYTES] __attribute__((aligned(8)));
	static unsigned int depth;
	int r;

	if (depth == NLIO_DEPTH_MAX)
		return -ELOOP;
	r = receive(fd, buffers[depth++], handler, userdata);
	depth--;
	return r;
}
