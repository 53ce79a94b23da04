/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <string.h>

#include "daemon/kernel/pinmsg-internal.h"
#include "daemon/kernel/pinmsg.h"
#include "lib/macros.h"

/* --- what a message is made of: a new attribute is a line here --- */

#define FIELD(field_type, attribute, record, member, ...)            \
	{                                                            \
		.attr = PINGUARD_A_##attribute,                      \
		.type = FIELD_##field_type,                          \
		.offset = offsetof(struct record, member),           \
		.size = sizeof(((struct record *)NULL)->member),     \
		__VA_ARGS__                                          \
	}
#define ASIDE(record, member) .aside = offsetof(struct record, member)

static const struct field info_fields[] = {
	FIELD(U64, INFO_FEATURES, pin_kernel_info, features),
	FIELD(U64, INFO_PINS, pin_kernel_info, pins),
	FIELD(U64, INFO_BYTES, pin_kernel_info, bytes),
	FIELD(U64, INFO_DENIED, pin_kernel_info, denied),
	FIELD(U64, INFO_FAILURES, pin_kernel_info, failures),
};

static const struct field pin_fields[] = {
	FIELD(U64, PIN_SEQ, pin_event, seq),
	FIELD(U64, PIN_ID, pin_event, pin.id),
	FIELD(U32, PIN_KIND, pin_event, pin.kind, .fallback = PIN_KIND_UNKNOWN),
	FIELD(STRING, PIN_DEVICE, pin_event, pin.device),
	FIELD(U32, PIN_TGID, pin_event, pin.tgid),
	FIELD(COMM, PIN_COMM, pin_event, pin.comm, ASIDE(pin_event, pin.comm_len)),
	FIELD(U32, PIN_UID, pin_event, pin.uid, .fallback = PIN_UID_NONE),
	FIELD(U64, PIN_CGROUP_ID, pin_event, pin.cgroup_id),
	FIELD(U64, PIN_CHARGED_CGROUP_ID, pin_event, pin.charged_cgroup_id),
	FIELD(U64, PIN_ADDRESS, pin_event, pin.address),
	FIELD(U64, PIN_BYTES, pin_event, pin.bytes),
	FIELD(U64, PIN_CHARGED_BYTES, pin_event, charged_bytes, .fallback = UINT64_MAX),
	FIELD(U32, PIN_FLAGS, pin_event, pin.flags),
	FIELD(NSEC, PIN_START_TIME, pin_event, pin.since_usec),
	FIELD(U64, PIN_OFFSET, pin_event, pin.offset, ASIDE(pin_event, pin.has_offset)),
	FIELD(U32, PIN_REASON, pin_event, reason),
	FIELD(U64, PIN_LIMIT_CGROUP_ID, pin_event, limit_cgroup_id),
	FIELD(U64, PIN_USAGE, pin_event, usage_bytes),
	FIELD(U64, PIN_LIMIT, pin_event, max_bytes, .fallback = UINT64_MAX),
	FIELD(U32, PIN_SUPPRESSED, pin_event, suppressed),
};

static const struct field revoke_fields[] = {
	FIELD(U64, REVOKE_SEQ, pin_event, seq),
	FIELD(U64, REVOKE_ID, pin_event, revoke.id),
	FIELD(U32, REVOKE_REASON, pin_event, revoke.reason),
	FIELD(STRING, REVOKE_DEVICE, pin_event, revoke.device),
	FIELD(U64, REVOKE_PFN_FIRST, pin_event, revoke.first_pfn),
	FIELD(U64, REVOKE_PFN_LAST, pin_event, revoke.last_pfn),
	FIELD(U64, REVOKE_PINS, pin_event, revoke.pins),
	FIELD(MSEC, REVOKE_TIMEOUT, pin_event, revoke.timeout_usec),
	FIELD(NSEC, REVOKE_START_TIME, pin_event, revoke.started_usec),
	FIELD(U32, REVOKE_TGID, pin_event, revoke.tgid),
	FIELD(COMM, REVOKE_COMM, pin_event, revoke.comm, ASIDE(pin_event, revoke.comm_len)),
	FIELD(U32, REVOKE_OUTCOME, pin_event, revoke.outcome),
};

static const struct field failure_fields[] = {
	FIELD(U64, FAILURE_SEQ, pin_event, seq),
	FIELD(U64, FAILURE_ID, pin_event, failure.id),
	FIELD(U32, FAILURE_KIND, pin_event, failure.kind),
	FIELD(U64, FAILURE_PFN, pin_event, failure.pfn),
	FIELD(U32, FAILURE_CLASS, pin_event, failure.class),
	FIELD(STRING, FAILURE_ACTION, pin_event, failure.action),
	FIELD(U32, FAILURE_RESULT, pin_event, failure.result),
	FIELD(NSEC, FAILURE_START_TIME, pin_event, failure.started_usec),
	FIELD(U32, FAILURE_OUTCOME, pin_event, failure.outcome),
};

static const struct field frame_fields[] = {
	FIELD(U64, FRAME_PFN, frame_info, pfn),
	FIELD(U32, FRAME_CLASS, frame_info, class),
	FIELD(U64, FRAME_PAGE_FLAGS, frame_info, page_flags, ASIDE(frame_info, has_page_flags)),
};

static const struct field policy_fields[] = {
	FIELD(U64, POLICY_CGROUP_ID, policy_info, cgroup_id),
	FIELD(U32, POLICY_POLICY, policy_info, policy),
	FIELD(U32, POLICY_COUNT, policy_info, count, .fallback = PINGUARD_COUNT_EACH),
};

struct owner_info {
	uint32_t tgid;
};

static const struct field owner_fields[] = {
	FIELD(U32, OWNER_TGID, owner_info, tgid),
};

#define RECORD(name, type) \
	static const struct record name##_record = { name##_fields, ARRAY_SIZE(name##_fields), \
						     sizeof(type) }

RECORD(info, struct pin_kernel_info);
RECORD(pin, struct pin_event);
RECORD(revoke, struct pin_event);
RECORD(failure, struct pin_event);
RECORD(frame, struct frame_info);
RECORD(policy, struct policy_info);
RECORD(owner, struct owner_info);

/* --- what there is: a new command is a line here --- */

#define FITS(record) \
	_Static_assert((int)PINGUARD_A_##record##_MAX <= PINMSG_ATTR_MAX, "too many attributes")

FITS(INFO);
FITS(PIN);
FITS(OWNER);
FITS(POLICY);
FITS(REVOKE);
FITS(FRAME);
FITS(FAILURE);

#define NEEDS(attribute) (1ULL << PINGUARD_A_##attribute)
#define PIN_EVENT	 (NEEDS(PIN_SEQ) | NEEDS(PIN_ID))
#define REVOKE		 (NEEDS(REVOKE_ID) | NEEDS(REVOKE_PFN_FIRST) | NEEDS(REVOKE_PFN_LAST))
#define REVOKE_EVENT	 (NEEDS(REVOKE_SEQ) | REVOKE)
#define FAILURE		 (NEEDS(FAILURE_ID) | NEEDS(FAILURE_PFN))
#define FAILURE_EVENT	 (NEEDS(FAILURE_SEQ) | FAILURE)

static const struct command {
	uint8_t cmd;
	const struct record *record;
	uint64_t required;
	enum pinmsg_type type; /* PINMSG_OTHER for an answer that somebody waits for */
	enum pin_event_type event;
} commands[] = {
	{ PINGUARD_CMD_GET_PIN, &pin_record, 0, PINMSG_DUMP_PIN },
	{ PINGUARD_CMD_PIN_NTF, &pin_record, PIN_EVENT, PINMSG_EVENT, PIN_EVENT_PIN },
	{ PINGUARD_CMD_PIN_CHANGE_NTF, &pin_record, PIN_EVENT, PINMSG_EVENT, PIN_EVENT_CHANGE },
	{ PINGUARD_CMD_UNPIN_NTF, &pin_record, PIN_EVENT, PINMSG_EVENT, PIN_EVENT_UNPIN },
	{ PINGUARD_CMD_DENY_NTF, &pin_record, NEEDS(PIN_SEQ), PINMSG_EVENT, PIN_EVENT_DENY },
	{ PINGUARD_CMD_REVOKE_NTF, &revoke_record, REVOKE_EVENT, PINMSG_ALERT, PIN_EVENT_REVOKE },
	{ PINGUARD_CMD_REVOKE_DONE_NTF, &revoke_record, REVOKE_EVENT, PINMSG_ALERT,
	  PIN_EVENT_REVOKE_DONE },
	{ PINGUARD_CMD_FAILURE_NTF, &failure_record, FAILURE_EVENT, PINMSG_ALERT,
	  PIN_EVENT_FAILURE },
	{ PINGUARD_CMD_FAILURE_DONE_NTF, &failure_record, FAILURE_EVENT, PINMSG_ALERT,
	  PIN_EVENT_FAILURE_DONE },
	{ PINGUARD_CMD_GET_REVOKE, &revoke_record, REVOKE, PINMSG_OTHER },
	{ PINGUARD_CMD_GET_FAILURE, &failure_record, FAILURE, PINMSG_OTHER },
	{ PINGUARD_CMD_GET_INFO, &info_record, NEEDS(INFO_FEATURES), PINMSG_OTHER },
	{ PINGUARD_CMD_GET_FRAME, &frame_record, NEEDS(FRAME_PFN) | NEEDS(FRAME_CLASS),
	  PINMSG_OTHER },
	{ PINGUARD_CMD_GET_POLICY, &policy_record, NEEDS(POLICY_CGROUP_ID) | NEEDS(POLICY_POLICY),
	  PINMSG_OTHER },
	{ PINGUARD_CMD_GET_OWNER, &owner_record, NEEDS(OWNER_TGID), PINMSG_OTHER },
};

/* NULL for what is of a newer kernel. */
static const struct command *find(uint8_t cmd)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].cmd == cmd)
			return &commands[i];
	return NULL;
}

static int read_command(const struct nlmsghdr *nlh, const struct command *command, void *ret)
{
	return pinmsg_read(nlh, command->record, command->required, ret);
}

static bool is_range(const struct revoke_info *info)
{
	return info->first_pfn <= info->last_pfn;
}

static void set_shared(struct pin_event *event)
{
	struct pin_info *pin = &event->pin;

	pin->shared_bytes = pin->bytes - MIN(event->charged_bytes, pin->bytes);
}

int pinmsg_parse(const struct nlmsghdr *nlh, struct pinmsg *ret)
{
	struct pinmsg msg = { .type = PINMSG_OTHER };
	const struct command *command;
	int r;

	if (!genlmsg_valid_hdr((struct nlmsghdr *)nlh, 0))
		return -EBADMSG;
	command = find(genlmsg_hdr((struct nlmsghdr *)nlh)->cmd);
	if (command && command->type != PINMSG_OTHER) {
		r = read_command(nlh, command, &msg.event);
		if (r < 0)
			return r;
		if (command->record == &revoke_record && !is_range(&msg.event.revoke))
			return -EBADMSG;
		if (command->record == &pin_record)
			set_shared(&msg.event);
		msg.type = command->type;
		msg.event.type = command->event;
		/* Before the first event the number is 0, and may be left out. */
		if (msg.type == PINMSG_DUMP_PIN &&
		    !nlmsg_find_attr((struct nlmsghdr *)nlh, GENL_HDRLEN, PINGUARD_A_PIN_ID))
			msg.type = PINMSG_DUMP_START;
	}
	*ret = msg;
	return 0;
}

static int parse_answer(const struct nlmsghdr *nlh, uint8_t cmd, void *ret)
{
	if (!genlmsg_valid_hdr((struct nlmsghdr *)nlh, 0) ||
	    genlmsg_hdr((struct nlmsghdr *)nlh)->cmd != cmd)
		return -EBADMSG;
	return read_command(nlh, find(cmd), ret);
}

int pinmsg_parse_info(const struct nlmsghdr *nlh, struct pin_kernel_info *ret)
{
	return parse_answer(nlh, PINGUARD_CMD_GET_INFO, ret);
}

int pinmsg_parse_revoke(const struct nlmsghdr *nlh, struct revoke_info *ret)
{
	struct pin_event event;
	int r = parse_answer(nlh, PINGUARD_CMD_GET_REVOKE, &event);

	if (r < 0)
		return r;
	if (!is_range(&event.revoke))
		return -EBADMSG;
	*ret = event.revoke;
	return 0;
}

int pinmsg_parse_failure(const struct nlmsghdr *nlh, struct failure_info *ret)
{
	struct pin_event event;
	int r = parse_answer(nlh, PINGUARD_CMD_GET_FAILURE, &event);

	if (r < 0)
		return r;
	*ret = event.failure;
	return 0;
}

int pinmsg_parse_frame(const struct nlmsghdr *nlh, struct frame_info *ret)
{
	return parse_answer(nlh, PINGUARD_CMD_GET_FRAME, ret);
}

int pinmsg_parse_policy(const struct nlmsghdr *nlh, struct policy_info *ret)
{
	return parse_answer(nlh, PINGUARD_CMD_GET_POLICY, ret);
}

int pinmsg_parse_owner(const struct nlmsghdr *nlh, uint32_t *ret_tgid)
{
	struct owner_info info;
	int r = parse_answer(nlh, PINGUARD_CMD_GET_OWNER, &info);

	if (r < 0)
		return r;
	*ret_tgid = info.tgid;
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
