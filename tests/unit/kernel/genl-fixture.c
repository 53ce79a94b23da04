/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#include "tests/unit/kernel/genl-fixture.h"
#include "tests/unit/unit.h"

#include "daemon/kernel/nlio.h"

#define FAMILY 0x77

struct pin_kernel_info fake_kernel = { .features = PINGUARD_FEATURE_EVENTS };
bool fake_kernel_there = true;

/* What is answered next. */
static uint32_t seq;
static uint8_t cmd;
static bool waiting;

int __wrap_nlio_resolve(const char *family, const char *group, int *ret_family, int *ret_group);
int __wrap_nlio_join(struct nl_sock *sk, int group);
int __wrap_nlio_send(struct nl_sock *sk, struct nl_msg *msg);
int __wrap_nlio_send_genl(struct nl_sock *sk, int family, uint8_t cmd, int flags);
int __wrap_nlio_recv(int fd, nlio_handler handler, void *userdata);
int __real_nlio_send(struct nl_sock *sk, struct nl_msg *msg);
int __real_nlio_recv(int fd, nlio_handler handler, void *userdata);

static bool is_generic(int fd)
{
	socklen_t size = sizeof(int);
	int protocol;

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size), 0);
	return protocol == NETLINK_GENERIC;
}

int __wrap_nlio_resolve(const char *family, const char *group, int *ret_family, int *ret_group)
{
	assert_string_equal(family, PINGUARD_FAMILY_NAME);
	if (!fake_kernel_there)
		return -ENOENT;
	*ret_family = FAMILY;
	if (group)
		*ret_group = 1;
	return 0;
}

int __wrap_nlio_join(struct nl_sock *sk, int group)
{
	return 0;
}

int __wrap_nlio_send(struct nl_sock *sk, struct nl_msg *msg)
{
	if (!is_generic(nl_socket_get_fd(sk)))
		return __real_nlio_send(sk, msg);
	nl_complete_msg(sk, msg);
	assert_int_equal(nlmsg_hdr(msg)->nlmsg_type, FAMILY);
	seq = nlmsg_hdr(msg)->nlmsg_seq;
	cmd = genlmsg_hdr(nlmsg_hdr(msg))->cmd;
	waiting = true;
	return 0;
}

int __wrap_nlio_send_genl(struct nl_sock *sk, int family, uint8_t number, int flags)
{
	return 0;
}

static int answer_info(nlio_handler handler, void *userdata)
{
	_cleanup_(nlmsg_freep) struct nl_msg *msg = nlmsg_alloc();

	assert_non_null(genlmsg_put(msg, 0, seq, FAMILY, 0, 0, PINGUARD_CMD_GET_INFO, 1));
	assert_int_equal(nla_put_u64(msg, PINGUARD_A_INFO_FEATURES, fake_kernel.features), 0);
	assert_int_equal(nla_put_u64(msg, PINGUARD_A_INFO_PINS, fake_kernel.pins), 0);
	assert_int_equal(nla_put_u64(msg, PINGUARD_A_INFO_BYTES, fake_kernel.bytes), 0);
	return handler(nlmsg_hdr(msg), userdata);
}

int __wrap_nlio_recv(int fd, nlio_handler handler, void *userdata)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} ack = { .header = { .nlmsg_len = sizeof(ack), .nlmsg_type = NLMSG_ERROR } };
	int r = 0;

	if (!is_generic(fd))
		return __real_nlio_recv(fd, handler, userdata);
	if (!waiting)
		return -EAGAIN;
	waiting = false;
	if (cmd == PINGUARD_CMD_GET_INFO)
		r = answer_info(handler, userdata);
	ack.header.nlmsg_seq = seq;
	return r ?: handler(&ack.header, userdata);
}
