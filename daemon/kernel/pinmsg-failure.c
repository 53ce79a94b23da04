/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages about memory that failed. */
#include <errno.h>
#include <netlink/genl/genl.h>

#include "daemon/kernel/pinmsg-internal.h"

static const struct nla_policy failure_policy[PINGUARD_A_FAILURE_MAX + 1] = {
	[PINGUARD_A_FAILURE_SEQ] = { .type = NLA_U64 },
	[PINGUARD_A_FAILURE_ID] = { .type = NLA_U64 },
	[PINGUARD_A_FAILURE_KIND] = { .type = NLA_U32 },
	[PINGUARD_A_FAILURE_PFN] = { .type = NLA_U64 },
	[PINGUARD_A_FAILURE_CLASS] = { .type = NLA_U32 },
	[PINGUARD_A_FAILURE_ACTION] = { .type = NLA_STRING },
	[PINGUARD_A_FAILURE_RESULT] = { .type = NLA_U32 },
	[PINGUARD_A_FAILURE_START_TIME] = { .type = NLA_U64 },
	[PINGUARD_A_FAILURE_OUTCOME] = { .type = NLA_U32 },
};

static int parse(const struct nlmsghdr *nlh, uint8_t *ret_cmd, uint64_t *ret_seq,
		 struct failure_info *ret)
{
	struct nlattr *tb[PINGUARD_A_FAILURE_MAX + 1];
	int r;

	r = pinmsg_parse_attrs(nlh, tb, PINGUARD_A_FAILURE_MAX, failure_policy, ret_cmd);
	if (r < 0)
		return r;
	if (!tb[PINGUARD_A_FAILURE_ID] || !tb[PINGUARD_A_FAILURE_PFN])
		return -EBADMSG;
	if (*ret_cmd != PINGUARD_CMD_GET_FAILURE && !tb[PINGUARD_A_FAILURE_SEQ])
		return -EBADMSG;
	*ret = (struct failure_info){
		.id = get_u64(tb, PINGUARD_A_FAILURE_ID, 0),
		.pfn = get_u64(tb, PINGUARD_A_FAILURE_PFN, 0),
		.started_usec = get_u64(tb, PINGUARD_A_FAILURE_START_TIME, 0) / NSEC_PER_USEC,
		.kind = get_u32(tb, PINGUARD_A_FAILURE_KIND, 0),
		.class = get_u32(tb, PINGUARD_A_FAILURE_CLASS, 0),
		.result = get_u32(tb, PINGUARD_A_FAILURE_RESULT, 0),
		.outcome = get_u32(tb, PINGUARD_A_FAILURE_OUTCOME, 0),
	};
	if (tb[PINGUARD_A_FAILURE_ACTION])
		nla_strlcpy(ret->action, tb[PINGUARD_A_FAILURE_ACTION], sizeof(ret->action));
	*ret_seq = get_u64(tb, PINGUARD_A_FAILURE_SEQ, 0);
	return 0;
}

int pinmsg_parse_failure_event(const struct nlmsghdr *nlh, struct pinmsg *ret)
{
	struct pinmsg msg = { .type = PINMSG_EVENT };
	uint8_t cmd;
	int r;

	r = parse(nlh, &cmd, &msg.event.seq, &msg.event.failure);
	if (r < 0)
		return r;
	msg.event.type =
		cmd == PINGUARD_CMD_FAILURE_NTF ? PIN_EVENT_FAILURE : PIN_EVENT_FAILURE_DONE;
	*ret = msg;
	return 0;
}

int pinmsg_parse_failure(const struct nlmsghdr *nlh, struct failure_info *ret)
{
	struct failure_info info;
	uint64_t seq;
	uint8_t cmd;
	int r;

	r = parse(nlh, &cmd, &seq, &info);
	if (r < 0)
		return r;
	if (cmd != PINGUARD_CMD_GET_FAILURE)
		return -EBADMSG;
	*ret = info;
	return 0;
}
