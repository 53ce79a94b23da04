/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <stdbool.h>
#include <string.h>

#include "daemon/kernel/pinmsg-internal.h"

static const struct nla_policy info_policy[PINGUARD_A_INFO_MAX + 1] = {
	[PINGUARD_A_INFO_ABI] = { .type = NLA_U32 },
	[PINGUARD_A_INFO_FEATURES] = { .type = NLA_U64 },
	[PINGUARD_A_INFO_SEQ] = { .type = NLA_U64 },
	[PINGUARD_A_INFO_PINS] = { .type = NLA_U64 },
	[PINGUARD_A_INFO_BYTES] = { .type = NLA_U64 },
	[PINGUARD_A_INFO_DENIED] = { .type = NLA_U64 },
	[PINGUARD_A_INFO_REVOKE_MODE] = { .type = NLA_U32 },
	[PINGUARD_A_INFO_REVOKE_TIMEOUT] = { .type = NLA_U32 },
	[PINGUARD_A_INFO_FAILURES] = { .type = NLA_U64 },
};

static const struct nla_policy pin_policy[PINGUARD_A_PIN_MAX + 1] = {
	[PINGUARD_A_PIN_SEQ] = { .type = NLA_U64 },
	[PINGUARD_A_PIN_ID] = { .type = NLA_U64 },
	[PINGUARD_A_PIN_KIND] = { .type = NLA_U32 },
	[PINGUARD_A_PIN_DEVICE] = { .type = NLA_STRING },
	[PINGUARD_A_PIN_TGID] = { .type = NLA_U32 },
	[PINGUARD_A_PIN_UID] = { .type = NLA_U32 },
	[PINGUARD_A_PIN_CGROUP_ID] = { .type = NLA_U64 },
	[PINGUARD_A_PIN_CHARGED_CGROUP_ID] = { .type = NLA_U64 },
	[PINGUARD_A_PIN_ADDRESS] = { .type = NLA_U64 },
	[PINGUARD_A_PIN_BYTES] = { .type = NLA_U64 },
	[PINGUARD_A_PIN_FLAGS] = { .type = NLA_U32 },
	[PINGUARD_A_PIN_START_TIME] = { .type = NLA_U64 },
	[PINGUARD_A_PIN_REASON] = { .type = NLA_U32 },
	[PINGUARD_A_PIN_LIMIT_CGROUP_ID] = { .type = NLA_U64 },
	[PINGUARD_A_PIN_USAGE] = { .type = NLA_U64 },
	[PINGUARD_A_PIN_LIMIT] = { .type = NLA_U64 },
	[PINGUARD_A_PIN_SUPPRESSED] = { .type = NLA_U32 },
	[PINGUARD_A_PIN_OFFSET] = { .type = NLA_U64 },
};

int pinmsg_parse_attrs(const struct nlmsghdr *nlh, struct nlattr **tb, int max,
		       const struct nla_policy *policy, uint8_t *ret_cmd)
{
	/* libnl takes it writable, and does not write. */
	struct nlmsghdr *n = (struct nlmsghdr *)nlh;

	if (genlmsg_parse(n, 0, tb, max, (struct nla_policy *)policy) < 0)
		return -EBADMSG;
	*ret_cmd = genlmsg_hdr(n)->cmd;
	return 0;
}

uint8_t pinmsg_copy_comm(struct nlattr *attr, uint8_t *comm)
{
	size_t len = attr ? nla_len(attr) : 0;

	len = len ? strnlen(nla_data(attr), MIN(len, (size_t)PIN_COMM_MAX)) : 0;
	if (len)
		memcpy(comm, nla_data(attr), len);
	return len;
}

static void parse_pin(struct nlattr *const *tb, struct pin_info *pin)
{
	pin->id = get_u64(tb, PINGUARD_A_PIN_ID, 0);
	pin->kind = get_u32(tb, PINGUARD_A_PIN_KIND, PIN_KIND_UNKNOWN);
	pin->tgid = get_u32(tb, PINGUARD_A_PIN_TGID, 0);
	pin->uid = get_u32(tb, PINGUARD_A_PIN_UID, PIN_UID_NONE);
	pin->cgroup_id = get_u64(tb, PINGUARD_A_PIN_CGROUP_ID, 0);
	pin->charged_cgroup_id = get_u64(tb, PINGUARD_A_PIN_CHARGED_CGROUP_ID, 0);
	pin->address = get_u64(tb, PINGUARD_A_PIN_ADDRESS, 0);
	pin->bytes = get_u64(tb, PINGUARD_A_PIN_BYTES, 0);
	pin->flags = get_u32(tb, PINGUARD_A_PIN_FLAGS, 0);
	pin->has_offset = tb[PINGUARD_A_PIN_OFFSET];
	pin->offset = get_u64(tb, PINGUARD_A_PIN_OFFSET, 0);
	pin->since_usec = get_u64(tb, PINGUARD_A_PIN_START_TIME, 0) / NSEC_PER_USEC;
	if (tb[PINGUARD_A_PIN_DEVICE])
		nla_strlcpy(pin->device, tb[PINGUARD_A_PIN_DEVICE], sizeof(pin->device));
	pin->comm_len = pinmsg_copy_comm(tb[PINGUARD_A_PIN_COMM], pin->comm);
}

/* What a command tells; false for one that says nothing of a pin. */
static bool classify(uint8_t cmd, struct pinmsg *msg)
{
	msg->type = PINMSG_EVENT;
	switch (cmd) {
	case PINGUARD_CMD_GET_PIN:
		msg->type = PINMSG_DUMP_PIN;
		return true;
	case PINGUARD_CMD_PIN_NTF:
		msg->event.type = PIN_EVENT_PIN;
		return true;
	case PINGUARD_CMD_PIN_CHANGE_NTF:
		msg->event.type = PIN_EVENT_CHANGE;
		return true;
	case PINGUARD_CMD_UNPIN_NTF:
		msg->event.type = PIN_EVENT_UNPIN;
		return true;
	case PINGUARD_CMD_DENY_NTF:
		msg->event.type = PIN_EVENT_DENY;
		return true;
	default:
		msg->type = PINMSG_OTHER;
		return false;
	}
}

int pinmsg_parse(const struct nlmsghdr *nlh, struct pinmsg *ret)
{
	struct nlattr *tb[PINGUARD_A_PIN_MAX + 1];
	struct pinmsg msg = {};
	uint8_t cmd;
	int r;

	if (!genlmsg_valid_hdr((struct nlmsghdr *)nlh, 0))
		return -EBADMSG;
	/* Each command has attributes of its own. */
	cmd = genlmsg_hdr((struct nlmsghdr *)nlh)->cmd;
	if (cmd == PINGUARD_CMD_REVOKE_NTF || cmd == PINGUARD_CMD_REVOKE_DONE_NTF)
		return pinmsg_parse_revoke_event(nlh, ret);
	if (cmd == PINGUARD_CMD_FAILURE_NTF || cmd == PINGUARD_CMD_FAILURE_DONE_NTF)
		return pinmsg_parse_failure_event(nlh, ret);
	if (!classify(cmd, &msg)) {
		*ret = msg;
		return 0;
	}
	r = pinmsg_parse_attrs(nlh, tb, PINGUARD_A_PIN_MAX, pin_policy, &cmd);
	if (r < 0)
		return r;
	parse_pin(tb, &msg.event.pin);
	msg.event.seq = get_u64(tb, PINGUARD_A_PIN_SEQ, 0);

	/* Before the first event the number is 0, and may be left out. */
	if (msg.type == PINMSG_DUMP_PIN && !tb[PINGUARD_A_PIN_ID])
		msg.type = PINMSG_DUMP_START;
	if (msg.type == PINMSG_EVENT) {
		if (!tb[PINGUARD_A_PIN_SEQ])
			return -EBADMSG;
		if (msg.event.type != PIN_EVENT_DENY && !tb[PINGUARD_A_PIN_ID])
			return -EBADMSG;
		msg.event.reason = get_u32(tb, PINGUARD_A_PIN_REASON, 0);
		msg.event.suppressed = get_u32(tb, PINGUARD_A_PIN_SUPPRESSED, 0);
		msg.event.limit_cgroup_id = get_u64(tb, PINGUARD_A_PIN_LIMIT_CGROUP_ID, 0);
		msg.event.usage_bytes = get_u64(tb, PINGUARD_A_PIN_USAGE, 0);
		msg.event.max_bytes = get_u64(tb, PINGUARD_A_PIN_LIMIT, UINT64_MAX);
	}
	*ret = msg;
	return 0;
}

int pinmsg_parse_info(const struct nlmsghdr *nlh, struct pin_kernel_info *ret)
{
	struct nlattr *tb[PINGUARD_A_INFO_MAX + 1];
	uint8_t cmd;
	int r;

	r = pinmsg_parse_attrs(nlh, tb, PINGUARD_A_INFO_MAX, info_policy, &cmd);
	if (r < 0)
		return r;
	if (cmd != PINGUARD_CMD_GET_INFO || !tb[PINGUARD_A_INFO_ABI])
		return -EBADMSG;
	*ret = (struct pin_kernel_info){
		.abi = get_u32(tb, PINGUARD_A_INFO_ABI, 0),
		.features = get_u64(tb, PINGUARD_A_INFO_FEATURES, 0),
		.seq = get_u64(tb, PINGUARD_A_INFO_SEQ, 0),
		.pins = get_u64(tb, PINGUARD_A_INFO_PINS, 0),
		.bytes = get_u64(tb, PINGUARD_A_INFO_BYTES, 0),
		.denied = get_u64(tb, PINGUARD_A_INFO_DENIED, 0),
		.failures = get_u64(tb, PINGUARD_A_INFO_FAILURES, 0),
		.revoke_mode = get_u32(tb, PINGUARD_A_INFO_REVOKE_MODE, 0),
		.revoke_timeout_usec = get_u32(tb, PINGUARD_A_INFO_REVOKE_TIMEOUT, 0) *
				       USEC_PER_MSEC,
	};
	return 0;
}

int pinmsg_parse_error(const struct nlmsghdr *nlh, const char **ret_text)
{
	size_t len = nlh->nlmsg_len - NLMSG_HDRLEN, skip = sizeof(int);
	const char *payload = NLMSG_DATA(nlh);
	struct nlattr *attr;
	int error;

	*ret_text = NULL;
	if (nlh->nlmsg_len < NLMSG_HDRLEN || len < sizeof(int))
		return -EBADMSG;
	memcpy(&error, payload, sizeof(error));
	if (error > 0)
		return -EBADMSG;

	if (nlh->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *err = NLMSG_DATA(nlh);

		if (len < sizeof(*err))
			return error;
		/* The request follows its header unless it was left out. */
		skip = NLMSG_ALIGN(nlh->nlmsg_flags & NLM_F_CAPPED ?
				   sizeof(*err) : sizeof(int) + err->msg.nlmsg_len);
	}
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) || len <= skip)
		return error;
	attr = nla_find((struct nlattr *)(payload + skip), len - skip, NLMSGERR_ATTR_MSG);
	if (attr && nla_len(attr) > 0 && !((char *)nla_data(attr))[nla_len(attr) - 1])
		*ret_text = nla_data(attr);
	return error;
}
