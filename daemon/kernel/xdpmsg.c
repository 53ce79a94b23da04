/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/sock_diag.h>
#include <linux/xdp_diag.h>
#include <netlink/attr.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/kernel/nlio.h"
#include "daemon/kernel/xdpmsg.h"
#include "daemon/model/model.h"

static const struct nla_policy policy[XDP_DIAG_MAX + 1] = {
	[XDP_DIAG_INFO] = { .minlen = sizeof(struct xdp_diag_info) },
	[XDP_DIAG_UID] = { .type = NLA_U32 },
	[XDP_DIAG_UMEM] = { .minlen = sizeof(struct xdp_diag_umem) },
};

struct nl_msg *xdpmsg_request(void)
{
	_cleanup_(nlmsg_freep) struct nl_msg *msg =
		nlmsg_alloc_simple(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP);
	struct xdp_diag_req req = {
		.sdiag_family = AF_XDP,
		.xdiag_show = XDP_SHOW_INFO | XDP_SHOW_UMEM,
	};

	if (!msg || nlmsg_append(msg, &req, sizeof(req), NLMSG_ALIGNTO) < 0)
		return NULL;
	return TAKE_PTR(msg);
}

int xdpmsg_type(void)
{
	return SOCK_DIAG_BY_FAMILY;
}

int xdpmsg_parse(const struct nlmsghdr *nlh, struct xdp_umem *ret)
{
	struct xdp_umem umem = { .uid = PIN_UID_NONE };
	struct nlattr *tb[XDP_DIAG_MAX + 1];
	const struct xdp_diag_msg *head;
	struct xdp_diag_info info;
	struct xdp_diag_umem u;

	/* libnl takes both writable, and does not write. */
	if (nlmsg_parse((struct nlmsghdr *)nlh, sizeof(*head), tb, XDP_DIAG_MAX,
			(struct nla_policy *)policy) < 0)
		return -EBADMSG;
	head = nlmsg_data(nlh);
	if (head->xdiag_family != AF_XDP)
		return -EBADMSG;
	if (!tb[XDP_DIAG_UMEM])
		return -ENODATA;
	memcpy(&u, nla_data(tb[XDP_DIAG_UMEM]), sizeof(u));
	umem.id = u.id;
	umem.pages = u.num_pages;
	umem.ifindex = u.ifindex;
	if (!umem.ifindex && tb[XDP_DIAG_INFO]) {
		memcpy(&info, nla_data(tb[XDP_DIAG_INFO]), sizeof(info));
		umem.ifindex = info.ifindex;
	}
	if (tb[XDP_DIAG_UID])
		umem.uid = nla_get_u32(tb[XDP_DIAG_UID]);
	*ret = umem;
	return 0;
}
