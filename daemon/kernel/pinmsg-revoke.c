/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages about memory that is wanted back, and who may pin it. */
#include <errno.h>
#include <netlink/genl/genl.h>

#include "daemon/kernel/pinmsg-internal.h"

static const struct nla_policy revoke_policy[PINGUARD_A_REVOKE_MAX + 1] = {
	[PINGUARD_A_REVOKE_SEQ] = { .type = NLA_U64 },
	[PINGUARD_A_REVOKE_ID] = { .type = NLA_U64 },
	[PINGUARD_A_REVOKE_REASON] = { .type = NLA_U32 },
	[PINGUARD_A_REVOKE_DEVICE] = { .type = NLA_STRING },
	[PINGUARD_A_REVOKE_PFN_FIRST] = { .type = NLA_U64 },
	[PINGUARD_A_REVOKE_PFN_LAST] = { .type = NLA_U64 },
	[PINGUARD_A_REVOKE_PINS] = { .type = NLA_U64 },
	[PINGUARD_A_REVOKE_TIMEOUT] = { .type = NLA_U32 },
	[PINGUARD_A_REVOKE_START_TIME] = { .type = NLA_U64 },
	[PINGUARD_A_REVOKE_TGID] = { .type = NLA_U32 },
	[PINGUARD_A_REVOKE_OUTCOME] = { .type = NLA_U32 },
	[PINGUARD_A_REVOKE_MODE] = { .type = NLA_U32 },
};

static const struct nla_policy owner_policy[PINGUARD_A_OWNER_MAX + 1] = {
	[PINGUARD_A_OWNER_REVOCABLE] = { .type = NLA_U32 },
	[PINGUARD_A_OWNER_TGID] = { .type = NLA_U32 },
};

static const struct nla_policy policy_policy[PINGUARD_A_POLICY_MAX + 1] = {
	[PINGUARD_A_POLICY_CGROUP_ID] = { .type = NLA_U64 },
	[PINGUARD_A_POLICY_POLICY] = { .type = NLA_U32 },
};

static int parse(const struct nlmsghdr *nlh, uint8_t *ret_cmd, uint64_t *ret_seq,
		 struct revoke_info *ret)
{
	struct nlattr *tb[PINGUARD_A_REVOKE_MAX + 1];
	struct revoke_info info;
	int r;

	r = pinmsg_parse_attrs(nlh, tb, PINGUARD_A_REVOKE_MAX, revoke_policy, ret_cmd);
	if (r < 0)
		return r;
	if (!tb[PINGUARD_A_REVOKE_ID] || !tb[PINGUARD_A_REVOKE_PFN_FIRST] ||
	    !tb[PINGUARD_A_REVOKE_PFN_LAST])
		return -EBADMSG;
	if (*ret_cmd != PINGUARD_CMD_GET_REVOKE && !tb[PINGUARD_A_REVOKE_SEQ])
		return -EBADMSG;
	info = (struct revoke_info){
		.id = get_u64(tb, PINGUARD_A_REVOKE_ID, 0),
		.first_pfn = get_u64(tb, PINGUARD_A_REVOKE_PFN_FIRST, 0),
		.last_pfn = get_u64(tb, PINGUARD_A_REVOKE_PFN_LAST, 0),
		.pins = get_u64(tb, PINGUARD_A_REVOKE_PINS, 0),
		.timeout_usec = get_u32(tb, PINGUARD_A_REVOKE_TIMEOUT, 0) * USEC_PER_MSEC,
		.started_usec = get_u64(tb, PINGUARD_A_REVOKE_START_TIME, 0) / NSEC_PER_USEC,
		.reason = get_u32(tb, PINGUARD_A_REVOKE_REASON, 0),
		.outcome = get_u32(tb, PINGUARD_A_REVOKE_OUTCOME, 0),
		.tgid = get_u32(tb, PINGUARD_A_REVOKE_TGID, 0),
	};
	if (info.first_pfn > info.last_pfn)
		return -EBADMSG;
	info.comm_len = pinmsg_copy_comm(tb[PINGUARD_A_REVOKE_COMM], info.comm);
	if (tb[PINGUARD_A_REVOKE_DEVICE])
		nla_strlcpy(info.device, tb[PINGUARD_A_REVOKE_DEVICE], sizeof(info.device));
	*ret_seq = get_u64(tb, PINGUARD_A_REVOKE_SEQ, 0);
	*ret = info;
	return 0;
}

int pinmsg_parse_revoke_event(const struct nlmsghdr *nlh, struct pinmsg *ret)
{
	struct pinmsg msg = { .type = PINMSG_EVENT };
	uint8_t cmd;
	int r;

	r = parse(nlh, &cmd, &msg.event.seq, &msg.event.revoke);
	if (r < 0)
		return r;
	msg.event.type = cmd == PINGUARD_CMD_REVOKE_NTF ? PIN_EVENT_REVOKE : PIN_EVENT_REVOKE_DONE;
	*ret = msg;
	return 0;
}

int pinmsg_parse_revoke(const struct nlmsghdr *nlh, struct revoke_info *ret)
{
	struct revoke_info info;
	uint64_t seq;
	uint8_t cmd;
	int r;

	r = parse(nlh, &cmd, &seq, &info);
	if (r < 0)
		return r;
	if (cmd != PINGUARD_CMD_GET_REVOKE)
		return -EBADMSG;
	*ret = info;
	return 0;
}

int pinmsg_parse_policy(const struct nlmsghdr *nlh, struct policy_info *ret)
{
	struct nlattr *tb[PINGUARD_A_POLICY_MAX + 1];
	uint8_t cmd;
	int r;

	r = pinmsg_parse_attrs(nlh, tb, PINGUARD_A_POLICY_MAX, policy_policy, &cmd);
	if (r < 0)
		return r;
	if (cmd != PINGUARD_CMD_GET_POLICY || !tb[PINGUARD_A_POLICY_CGROUP_ID] ||
	    !tb[PINGUARD_A_POLICY_POLICY])
		return -EBADMSG;
	ret->cgroup_id = get_u64(tb, PINGUARD_A_POLICY_CGROUP_ID, 0);
	ret->policy = get_u32(tb, PINGUARD_A_POLICY_POLICY, 0);
	return 0;
}

int pinmsg_parse_owner(const struct nlmsghdr *nlh, uint32_t *ret_tgid)
{
	struct nlattr *tb[PINGUARD_A_OWNER_MAX + 1];
	uint8_t cmd;
	int r;

	r = pinmsg_parse_attrs(nlh, tb, PINGUARD_A_OWNER_MAX, owner_policy, &cmd);
	if (r < 0)
		return r;
	if (cmd != PINGUARD_CMD_GET_OWNER || !tb[PINGUARD_A_OWNER_TGID])
		return -EBADMSG;
	*ret_tgid = get_u32(tb, PINGUARD_A_OWNER_TGID, 0);
	return 0;
}
