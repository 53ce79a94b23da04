/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel says of one page frame. */
#include <errno.h>
#include <netlink/genl/genl.h>

#include "daemon/kernel/pinmsg-internal.h"

static const struct nla_policy frame_policy[PINGUARD_A_FRAME_MAX + 1] = {
	[PINGUARD_A_FRAME_PFN] = { .type = NLA_U64 },
	[PINGUARD_A_FRAME_CLASS] = { .type = NLA_U32 },
	[PINGUARD_A_FRAME_PAGE_FLAGS] = { .type = NLA_U64 },
};

int pinmsg_parse_frame(const struct nlmsghdr *nlh, struct frame_info *ret)
{
	struct nlattr *tb[PINGUARD_A_FRAME_MAX + 1];
	uint8_t cmd;
	int r;

	r = pinmsg_parse_attrs(nlh, tb, PINGUARD_A_FRAME_MAX, frame_policy, &cmd);
	if (r < 0)
		return r;
	if (cmd != PINGUARD_CMD_GET_FRAME || !tb[PINGUARD_A_FRAME_PFN] ||
	    !tb[PINGUARD_A_FRAME_CLASS])
		return -EBADMSG;
	*ret = (struct frame_info){
		.pfn = get_u64(tb, PINGUARD_A_FRAME_PFN, 0),
		.class = get_u32(tb, PINGUARD_A_FRAME_CLASS, 0),
		.has_page_flags = tb[PINGUARD_A_FRAME_PAGE_FLAGS],
		.page_flags = get_u64(tb, PINGUARD_A_FRAME_PAGE_FLAGS, 0),
	};
	return 0;
}
