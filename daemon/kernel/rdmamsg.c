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
	[RDMA_NLDEV_ATTR_RES_PD] = { .type = NLA_NESTED },
	[RDMA_NLDEV_ATTR_RES_CTX] = { .type = NLA_NESTED },
	[RDMA_NLDEV_ATTR_RES_PID] = { .type = NLA_U32 },
	[RDMA_NLDEV_ATTR_RES_IOVA] = { .type = NLA_U64 },
	[RDMA_NLDEV_ATTR_RES_MRLEN] = { .type = NLA_U64 },
	[RDMA_NLDEV_ATTR_RES_MRN] = { .type = NLA_U32 },
	[RDMA_NLDEV_ATTR_RES_PDN] = { .type = NLA_U32 },
	[RDMA_NLDEV_ATTR_RES_CTXN] = { .type = NLA_U32 },
	[RDMA_NLDEV_SYS_ATTR_NETNS_MODE] = { .type = NLA_U8 },
};

static const struct {
	unsigned int command, table, number, parent; /* parent 0: none */
} tables[] = {
	[RDMA_REGIONS] = { RDMA_NLDEV_CMD_RES_MR_GET, RDMA_NLDEV_ATTR_RES_MR,
			   RDMA_NLDEV_ATTR_RES_MRN, RDMA_NLDEV_ATTR_RES_PDN },
	[RDMA_DOMAINS] = { RDMA_NLDEV_CMD_RES_PD_GET, RDMA_NLDEV_ATTR_RES_PD,
			   RDMA_NLDEV_ATTR_RES_PDN, RDMA_NLDEV_ATTR_RES_CTXN },
	[RDMA_CONTEXTS] = { RDMA_NLDEV_CMD_RES_CTX_GET, RDMA_NLDEV_ATTR_RES_CTX,
			    RDMA_NLDEV_ATTR_RES_CTXN, 0 },
};

int rdmamsg_type_devices(void)
{
	return RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, RDMA_NLDEV_CMD_GET);
}

int rdmamsg_type_table(enum rdma_table table)
{
	return RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, tables[table].command);
}

int rdmamsg_type_system(void)
{
	return RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, RDMA_NLDEV_CMD_SYS_GET);
}

static int parse(const struct nlmsghdr *nlh, struct nlattr **tb)
{
	/* libnl takes both writable, and does not write. */
	if (nlmsg_parse((struct nlmsghdr *)nlh, 0, tb, RDMA_NLDEV_ATTR_MAX - 1,
			(struct nla_policy *)policy) < 0)
		return -EBADMSG;
	return 0;
}

int rdmamsg_type_statistics(void)
{
	return RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, RDMA_NLDEV_CMD_STAT_GET);
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

static int parse_object(struct nlattr *entry, enum rdma_table table, struct rdma_object *ret,
			bool *ret_kernel)
{
	struct nlattr *tb[RDMA_NLDEV_ATTR_MAX], *parent;
	struct rdma_object object = {};

	if (nla_parse(tb, RDMA_NLDEV_ATTR_MAX - 1, nla_data(entry), nla_len(entry),
		      (struct nla_policy *)policy) < 0 ||
	    !tb[tables[table].number])
		return -EBADMSG;
	object.number = nla_get_u32(tb[tables[table].number]);
	parent = tables[table].parent ? tb[tables[table].parent] : NULL;
	object.has_parent = parent;
	if (parent)
		object.parent = nla_get_u32(parent);
	if (tb[RDMA_NLDEV_ATTR_RES_PID])
		object.pid = nla_get_u32(tb[RDMA_NLDEV_ATTR_RES_PID]);
	if (tb[RDMA_NLDEV_ATTR_RES_MRLEN])
		object.bytes = nla_get_u64(tb[RDMA_NLDEV_ATTR_RES_MRLEN]);
	object.has_counters = tb[RDMA_NLDEV_ATTR_STAT_HWCOUNTERS];
	object.has_iova = tb[RDMA_NLDEV_ATTR_RES_IOVA];
	if (object.has_iova)
		object.iova = nla_get_u64(tb[RDMA_NLDEV_ATTR_RES_IOVA]);
	*ret_kernel = tb[RDMA_NLDEV_ATTR_RES_KERN_NAME];
	*ret = object;
	return 0;
}

int rdmamsg_parse_table(const struct nlmsghdr *nlh, enum rdma_table table,
			int (*handler)(const struct rdma_object *object, void *userdata),
			void *userdata)
{
	struct nlattr *tb[RDMA_NLDEV_ATTR_MAX], *entry;
	struct rdma_object object;
	bool kernel;
	int left, r;

	if (parse(nlh, tb) < 0)
		return -EBADMSG;
	if (!tb[tables[table].table])
		return 0;
	nla_for_each_nested(entry, tb[tables[table].table], left) {
		r = parse_object(entry, table, &object, &kernel);
		if (r >= 0 && !kernel)
			r = handler(&object, userdata);
		if (r < 0)
			return r;
	}
	return 0;
}

int rdmamsg_parse_exclusive(const struct nlmsghdr *nlh, bool *ret)
{
	struct nlattr *tb[RDMA_NLDEV_ATTR_MAX];

	if (parse(nlh, tb) < 0 || !tb[RDMA_NLDEV_SYS_ATTR_NETNS_MODE])
		return -ENODATA;
	/* What the kernel shows is whether they are shared. */
	*ret = !nla_get_u8(tb[RDMA_NLDEV_SYS_ATTR_NETNS_MODE]);
	return 0;
}

uint64_t rdma_region_pinned(const struct rdma_object *region, uint64_t page_bytes)
{
	uint64_t offset = region->has_iova ? region->iova % page_bytes : 0;

	/* More than any process has: memory on demand. */
	if (!region->bytes || region->bytes > INT64_MAX)
		return 0;
	return (offset + region->bytes + page_bytes - 1) / page_bytes * page_bytes;
}
