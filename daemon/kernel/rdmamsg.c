/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <rdma/rdma_netlink.h>

#include "daemon/kernel/rdmamsg.h"

static const struct nla_policy policy[RDMA_NLDEV_ATTR_MAX] = {
	[RDMA_NLDEV_ATTR_DEV_INDEX] = { .type = NLA_U32 },
	[RDMA_NLDEV_ATTR_DEV_NAME] = { .type = NLA_STRING },
	[RDMA_NLDEV_ATTR_RES_MR] = { .type = NLA_NESTED },
	[RDMA_NLDEV_ATTR_RES_MR_ENTRY] = { .type = NLA_NESTED },
	[RDMA_NLDEV_ATTR_RES_PID] = { .type = NLA_U32 },
	[RDMA_NLDEV_ATTR_RES_MRLEN] = { .type = NLA_U64 },
	[RDMA_NLDEV_ATTR_RES_MRN] = { .type = NLA_U32 },
};

int rdmamsg_type_devices(void)
{
	return RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, RDMA_NLDEV_CMD_GET);
}

int rdmamsg_type_mrs(void)
{
	return RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, RDMA_NLDEV_CMD_RES_MR_GET);
}

static int parse(const struct nlmsghdr *nlh, struct nlattr **tb)
{
	/* libnl takes both writable, and does not write. */
	if (nlmsg_parse((struct nlmsghdr *)nlh, 0, tb, RDMA_NLDEV_ATTR_MAX - 1,
			(struct nla_policy *)policy) < 0)
		return -EBADMSG;
	return 0;
}

int rdmamsg_parse_device(const struct nlmsghdr *nlh, struct rdma_device *ret)
{
	struct nlattr *tb[RDMA_NLDEV_ATTR_MAX];
	struct rdma_device dev = {};

	if (parse(nlh, tb) < 0 || !tb[RDMA_NLDEV_ATTR_DEV_INDEX] || !tb[RDMA_NLDEV_ATTR_DEV_NAME])
		return -EBADMSG;
	dev.index = nla_get_u32(tb[RDMA_NLDEV_ATTR_DEV_INDEX]);
	nla_strlcpy(dev.name, tb[RDMA_NLDEV_ATTR_DEV_NAME], sizeof(dev.name));
	*ret = dev;
	return 0;
}

int rdmamsg_parse_mrs(const struct nlmsghdr *nlh,
		      int (*handler)(const struct rdma_mr *mr, void *userdata), void *userdata)
{
	struct nlattr *tb[RDMA_NLDEV_ATTR_MAX], *entry;
	int left, r;

	if (parse(nlh, tb) < 0)
		return -EBADMSG;
	if (!tb[RDMA_NLDEV_ATTR_RES_MR])
		return 0;
	nla_for_each_nested(entry, tb[RDMA_NLDEV_ATTR_RES_MR], left) {
		struct nlattr *mr_tb[RDMA_NLDEV_ATTR_MAX];
		struct rdma_mr mr = {};

		if (nla_parse(mr_tb, RDMA_NLDEV_ATTR_MAX - 1, nla_data(entry), nla_len(entry),
			      (struct nla_policy *)policy) < 0 ||
		    !mr_tb[RDMA_NLDEV_ATTR_RES_MRN])
			return -EBADMSG;
		if (mr_tb[RDMA_NLDEV_ATTR_RES_KERN_NAME])
			continue;
		mr.number = nla_get_u32(mr_tb[RDMA_NLDEV_ATTR_RES_MRN]);
		if (mr_tb[RDMA_NLDEV_ATTR_RES_PID])
			mr.pid = nla_get_u32(mr_tb[RDMA_NLDEV_ATTR_RES_PID]);
		if (mr_tb[RDMA_NLDEV_ATTR_RES_MRLEN])
			mr.bytes = nla_get_u64(mr_tb[RDMA_NLDEV_ATTR_RES_MRLEN]);
		r = handler(&mr, userdata);
		if (r < 0)
			return r;
	}
	return 0;
}
