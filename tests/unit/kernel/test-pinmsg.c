/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include "tests/unit/unit.h"

#include "daemon/kernel/pinmsg.h"

DEFINE_CLEANUP(struct nl_msg *, nlmsg_free);
#define _cleanup_msg_ _cleanup_(nlmsg_freep)

static struct nl_msg *message(uint8_t cmd)
{
	struct nl_msg *msg = nlmsg_alloc();

	assert_non_null(genlmsg_put(msg, 0, 0, 30, 0, 0, cmd, 1));
	return msg;
}

static void put_pin(struct nl_msg *msg)
{
	nla_put_u64(msg, PINGUARD_A_PIN_SEQ, 77);
	nla_put_u64(msg, PINGUARD_A_PIN_ID, 5);
	nla_put_u32(msg, PINGUARD_A_PIN_KIND, PINGUARD_KIND_VFIO);
	nla_put_string(msg, PINGUARD_A_PIN_DEVICE, "0000:00:04.0");
	nla_put_u32(msg, PINGUARD_A_PIN_TGID, 1234);
	nla_put(msg, PINGUARD_A_PIN_COMM, 4, "\xff\x1b[m");
	nla_put_u32(msg, PINGUARD_A_PIN_UID, 0);
	nla_put_u64(msg, PINGUARD_A_PIN_CGROUP_ID, 0x100000001);
	nla_put_u64(msg, PINGUARD_A_PIN_CHARGED_CGROUP_ID, 7);
	nla_put_u64(msg, PINGUARD_A_PIN_ADDRESS, 0x7f0000000000);
	nla_put_u64(msg, PINGUARD_A_PIN_BYTES, 8388608);
	nla_put_u32(msg, PINGUARD_A_PIN_FLAGS, PINGUARD_FLAG_RELEASING);
	nla_put_u64(msg, PINGUARD_A_PIN_START_TIME, 1700000000123456789);
}

static void test_event(void **state)
{
	_cleanup_msg_ struct nl_msg *msg = message(PINGUARD_CMD_UNPIN_NTF);
	struct pinmsg m;

	put_pin(msg);
	assert_int_equal(pinmsg_parse(nlmsg_hdr(msg), &m), 0);
	assert_int_equal(m.type, PINMSG_EVENT);
	assert_int_equal(m.event.type, PIN_EVENT_UNPIN);
	assert_int_equal(m.event.seq, 77);
	assert_int_equal(m.event.pin.id, 5);
	assert_int_equal(m.event.pin.kind, PINGUARD_KIND_VFIO);
	assert_string_equal(m.event.pin.device, "0000:00:04.0");
	assert_int_equal(m.event.pin.comm_len, 4);
	assert_memory_equal(m.event.pin.comm, "\xff\x1b[m", 4);
	assert_int_equal(m.event.pin.cgroup_id, 0x100000001);
	assert_int_equal(m.event.pin.address, 0x7f0000000000);
	assert_int_equal(m.event.pin.since_usec, 1700000000123456);
}

static void test_unknown_attributes(void **state)
{
	_cleanup_msg_ struct nl_msg *msg = message(PINGUARD_CMD_PIN_NTF);
	struct pinmsg m;

	nla_put_u64(msg, PINGUARD_A_PIN_MAX + 7, 1);
	nla_put(msg, PINGUARD_A_PIN_MAX + 1, 3, "abc");
	put_pin(msg);
	assert_int_equal(pinmsg_parse(nlmsg_hdr(msg), &m), 0);
	assert_int_equal(m.event.pin.bytes, 8388608);
}

static void test_unknown_command(void **state)
{
	_cleanup_msg_ struct nl_msg *msg = message(200);
	struct pinmsg m;

	assert_int_equal(pinmsg_parse(nlmsg_hdr(msg), &m), 0);
	assert_int_equal(m.type, PINMSG_OTHER);
}

static void test_dump(void **state)
{
	_cleanup_msg_ struct nl_msg *first = message(PINGUARD_CMD_GET_PIN);
	_cleanup_msg_ struct nl_msg *pin = message(PINGUARD_CMD_GET_PIN);
	_cleanup_msg_ struct nl_msg *none = message(PINGUARD_CMD_GET_PIN);
	struct pinmsg m;

	nla_put_u64(first, PINGUARD_A_PIN_SEQ, 9);
	assert_int_equal(pinmsg_parse(nlmsg_hdr(first), &m), 0);
	assert_int_equal(m.type, PINMSG_DUMP_START);
	assert_int_equal(m.event.seq, 9);

	/* No names, no user: all of that may be absent. */
	nla_put_u64(pin, PINGUARD_A_PIN_ID, 3);
	assert_int_equal(pinmsg_parse(nlmsg_hdr(pin), &m), 0);
	assert_int_equal(m.type, PINMSG_DUMP_PIN);
	assert_int_equal(m.event.pin.uid, PIN_UID_NONE);
	assert_int_equal(m.event.pin.comm_len, 0);
	assert_string_equal(m.event.pin.device, "");

	/* Nothing has happened yet since boot. */
	assert_int_equal(pinmsg_parse(nlmsg_hdr(none), &m), 0);
	assert_int_equal(m.type, PINMSG_DUMP_START);
	assert_int_equal(m.event.seq, 0);
}

static void test_deny(void **state)
{
	_cleanup_msg_ struct nl_msg *msg = message(PINGUARD_CMD_DENY_NTF);
	struct pinmsg m;

	nla_put_u64(msg, PINGUARD_A_PIN_SEQ, 9);
	nla_put_u32(msg, PINGUARD_A_PIN_REASON, PINGUARD_REASON_LIMIT);
	nla_put_u64(msg, PINGUARD_A_PIN_LIMIT_CGROUP_ID, 4);
	nla_put_u64(msg, PINGUARD_A_PIN_USAGE, 100);
	nla_put_u64(msg, PINGUARD_A_PIN_LIMIT, 200);
	nla_put_u32(msg, PINGUARD_A_PIN_SUPPRESSED, 3);
	assert_int_equal(pinmsg_parse(nlmsg_hdr(msg), &m), 0);
	assert_int_equal(m.event.type, PIN_EVENT_DENY);
	assert_int_equal(m.event.limit_cgroup_id, 4);
	assert_int_equal(m.event.usage_bytes, 100);
	assert_int_equal(m.event.max_bytes, 200);
	assert_int_equal(m.event.suppressed, 3);
}

static void test_bad(void **state)
{
	_cleanup_msg_ struct nl_msg *no_seq = message(PINGUARD_CMD_PIN_NTF);
	_cleanup_msg_ struct nl_msg *no_id = message(PINGUARD_CMD_PIN_NTF);
	_cleanup_msg_ struct nl_msg *narrow = message(PINGUARD_CMD_PIN_NTF);
	_cleanup_msg_ struct nl_msg *cut = message(PINGUARD_CMD_PIN_NTF);
	struct pinmsg m = { .type = PINMSG_OTHER };

	nla_put_u64(no_seq, PINGUARD_A_PIN_ID, 1);
	assert_int_equal(pinmsg_parse(nlmsg_hdr(no_seq), &m), -EBADMSG);
	nla_put_u64(no_id, PINGUARD_A_PIN_SEQ, 1);
	assert_int_equal(pinmsg_parse(nlmsg_hdr(no_id), &m), -EBADMSG);
	nla_put_u32(narrow, PINGUARD_A_PIN_SEQ, 1);
	nla_put_u16(narrow, PINGUARD_A_PIN_ID, 1);
	assert_int_equal(pinmsg_parse(nlmsg_hdr(narrow), &m), -EBADMSG);
	nlmsg_hdr(cut)->nlmsg_len = NLMSG_HDRLEN + 2;
	assert_int_equal(pinmsg_parse(nlmsg_hdr(cut), &m), -EBADMSG);
	assert_int_equal(m.type, PINMSG_OTHER);
}

/* A device's name without its NUL, or longer than it may be. */
static void test_long_device(void **state)
{
	_cleanup_msg_ struct nl_msg *msg = message(PINGUARD_CMD_GET_PIN);
	_cleanup_msg_ struct nl_msg *open = message(PINGUARD_CMD_GET_PIN);
	_cleanup_msg_ struct nl_msg *empty = message(PINGUARD_CMD_GET_PIN);
	char name[200];
	struct pinmsg m;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	nla_put_u64(msg, PINGUARD_A_PIN_ID, 3);
	nla_put(msg, PINGUARD_A_PIN_DEVICE, sizeof(name), name);
	assert_int_equal(pinmsg_parse(nlmsg_hdr(msg), &m), 0);
	assert_int_equal(strlen(m.event.pin.device), PINGUARD_DEVICE_NAME_MAX - 1);
	nla_put(open, PINGUARD_A_PIN_DEVICE, 4, "rxe0");
	assert_int_equal(pinmsg_parse(nlmsg_hdr(open), &m), -EBADMSG);
	nla_put(empty, PINGUARD_A_PIN_DEVICE, 0, NULL);
	assert_int_equal(pinmsg_parse(nlmsg_hdr(empty), &m), -EBADMSG);
}

/* Up to a NUL, or to what is kept; the kernel sends 16 bytes, whatever the name. */
static void test_comm(void **state)
{
	_cleanup_msg_ struct nl_msg *padded = message(PINGUARD_CMD_GET_PIN);
	_cleanup_msg_ struct nl_msg *wide = message(PINGUARD_CMD_GET_PIN);
	_cleanup_msg_ struct nl_msg *empty = message(PINGUARD_CMD_GET_PIN);
	struct pinmsg m;

	nla_put(padded, PINGUARD_A_PIN_COMM, 16, "qemu\0\0\0\0\0\0\0\0\0\0\0");
	assert_int_equal(pinmsg_parse(nlmsg_hdr(padded), &m), 0);
	assert_int_equal(m.event.pin.comm_len, 4);
	nla_put(wide, PINGUARD_A_PIN_COMM, 20, "abcdefghijklmnopqrst");
	assert_int_equal(pinmsg_parse(nlmsg_hdr(wide), &m), 0);
	assert_int_equal(m.event.pin.comm_len, PIN_COMM_MAX);
	assert_memory_equal(m.event.pin.comm, "abcdefghijklmnop", PIN_COMM_MAX);
	nla_put(empty, PINGUARD_A_PIN_COMM, 0, NULL);
	assert_int_equal(pinmsg_parse(nlmsg_hdr(empty), &m), 0);
	assert_int_equal(m.event.pin.comm_len, 0);
}

static void test_info(void **state)
{
	_cleanup_msg_ struct nl_msg *msg = message(PINGUARD_CMD_GET_INFO);
	_cleanup_msg_ struct nl_msg *none = message(PINGUARD_CMD_GET_INFO);
	struct pin_kernel_info info;

	/* a number comes as short as it allows */
	nla_put_u32(msg, PINGUARD_A_INFO_FEATURES, 5);
	nla_put_u64(msg, PINGUARD_A_INFO_BYTES, 1ULL << 40);
	nla_put_u64(msg, PINGUARD_A_INFO_FAILURES, 9);
	assert_int_equal(pinmsg_parse_info(nlmsg_hdr(msg), &info), 0);
	assert_int_equal(info.features, 5);
	assert_true(info.bytes == 1ULL << 40);
	assert_int_equal(info.pins, 0);
	assert_int_equal(info.failures, 9);
	nla_put_u64(none, PINGUARD_A_INFO_PINS, 1);
	assert_int_equal(pinmsg_parse_info(nlmsg_hdr(none), &info), -EBADMSG);
}

static void put_failure(struct nl_msg *msg)
{
	nla_put_u64(msg, PINGUARD_A_FAILURE_ID, 6);
	nla_put_u32(msg, PINGUARD_A_FAILURE_KIND, PINGUARD_FAILURE_KIND_UNCORRECTED);
	nla_put_u64(msg, PINGUARD_A_FAILURE_PFN, 0x140000);
	nla_put_u32(msg, PINGUARD_A_FAILURE_CLASS, PINGUARD_MEMORY_CLASS_HUGETLB);
	nla_put_string(msg, PINGUARD_A_FAILURE_ACTION, "huge page");
	nla_put_u32(msg, PINGUARD_A_FAILURE_RESULT, PINGUARD_FAILURE_RESULT_FAILED);
	nla_put_u64(msg, PINGUARD_A_FAILURE_START_TIME, 1700000000123456789);
}

static void test_failure(void **state)
{
	_cleanup_msg_ struct nl_msg *msg = message(PINGUARD_CMD_FAILURE_NTF);
	_cleanup_msg_ struct nl_msg *done = message(PINGUARD_CMD_FAILURE_DONE_NTF);
	_cleanup_msg_ struct nl_msg *listed = message(PINGUARD_CMD_GET_FAILURE);
	struct failure_info info = {};
	struct pinmsg m;

	nla_put_u64(msg, PINGUARD_A_FAILURE_SEQ, 78);
	put_failure(msg);
	assert_int_equal(pinmsg_parse(nlmsg_hdr(msg), &m), 0);
	assert_int_equal(m.type, PINMSG_ALERT);
	assert_int_equal(m.event.type, PIN_EVENT_FAILURE);
	assert_int_equal(m.event.seq, 78);
	assert_int_equal(m.event.failure.id, 6);
	assert_int_equal(m.event.failure.pfn, 0x140000);
	assert_int_equal(m.event.failure.kind, PINGUARD_FAILURE_KIND_UNCORRECTED);
	assert_int_equal(m.event.failure.class, PINGUARD_MEMORY_CLASS_HUGETLB);
	assert_string_equal(m.event.failure.action, "huge page");
	assert_int_equal(m.event.failure.result, PINGUARD_FAILURE_RESULT_FAILED);
	assert_int_equal(m.event.failure.started_usec, 1700000000123456);
	/* An event is no answer, and has no answer's length. */
	assert_int_equal(pinmsg_parse_failure(nlmsg_hdr(msg), &info), -EBADMSG);
	assert_int_equal(info.id, 0);

	nla_put_u64(done, PINGUARD_A_FAILURE_SEQ, 79);
	nla_put_u64(done, PINGUARD_A_FAILURE_ID, 6);
	nla_put_u64(done, PINGUARD_A_FAILURE_PFN, 0x140000);
	nla_put_u32(done, PINGUARD_A_FAILURE_OUTCOME, PINGUARD_FAILURE_OUTCOME_GONE);
	assert_int_equal(pinmsg_parse(nlmsg_hdr(done), &m), 0);
	assert_int_equal(m.event.type, PIN_EVENT_FAILURE_DONE);
	assert_int_equal(m.event.failure.outcome, PINGUARD_FAILURE_OUTCOME_GONE);
	assert_string_equal(m.event.failure.action, "");

	put_failure(listed);
	assert_int_equal(pinmsg_parse_failure(nlmsg_hdr(listed), &info), 0);
	assert_int_equal(info.id, 6);
}

/* Without a number, a frame or a place among the events; words that are too long. */
static void test_bad_failure(void **state)
{
	_cleanup_msg_ struct nl_msg *no_id = message(PINGUARD_CMD_FAILURE_NTF);
	_cleanup_msg_ struct nl_msg *no_pfn = message(PINGUARD_CMD_FAILURE_DONE_NTF);
	_cleanup_msg_ struct nl_msg *no_seq = message(PINGUARD_CMD_FAILURE_NTF);
	_cleanup_msg_ struct nl_msg *wordy = message(PINGUARD_CMD_GET_FAILURE);
	struct pinmsg m = { .type = PINMSG_OTHER };
	struct failure_info info;
	char words[200];

	nla_put_u64(no_id, PINGUARD_A_FAILURE_SEQ, 1);
	nla_put_u64(no_id, PINGUARD_A_FAILURE_PFN, 1);
	assert_int_equal(pinmsg_parse(nlmsg_hdr(no_id), &m), -EBADMSG);
	nla_put_u64(no_pfn, PINGUARD_A_FAILURE_SEQ, 1);
	nla_put_u64(no_pfn, PINGUARD_A_FAILURE_ID, 1);
	assert_int_equal(pinmsg_parse(nlmsg_hdr(no_pfn), &m), -EBADMSG);
	put_failure(no_seq);
	assert_int_equal(pinmsg_parse(nlmsg_hdr(no_seq), &m), -EBADMSG);
	assert_int_equal(m.type, PINMSG_OTHER);

	memset(words, 'x', sizeof(words) - 1);
	words[sizeof(words) - 1] = '\0';
	nla_put_u64(wordy, PINGUARD_A_FAILURE_ID, 1);
	nla_put_u64(wordy, PINGUARD_A_FAILURE_PFN, 1);
	nla_put_string(wordy, PINGUARD_A_FAILURE_ACTION, words);
	assert_int_equal(pinmsg_parse_failure(nlmsg_hdr(wordy), &info), 0);
	assert_int_equal(strlen(info.action), FAILURE_ACTION_MAX - 1);
}

/* Where in a pin a range begins; 0 is a place, and not the lack of one. */
static void test_offset(void **state)
{
	_cleanup_msg_ struct nl_msg *msg = message(PINGUARD_CMD_GET_PIN);
	_cleanup_msg_ struct nl_msg *none = message(PINGUARD_CMD_GET_PIN);
	struct pinmsg m;

	nla_put_u64(msg, PINGUARD_A_PIN_ID, 3);
	nla_put_u64(msg, PINGUARD_A_PIN_OFFSET, 0);
	assert_int_equal(pinmsg_parse(nlmsg_hdr(msg), &m), 0);
	assert_true(m.event.pin.has_offset);
	assert_int_equal(m.event.pin.offset, 0);
	nla_put_u64(none, PINGUARD_A_PIN_ID, 3);
	assert_int_equal(pinmsg_parse(nlmsg_hdr(none), &m), 0);
	assert_false(m.event.pin.has_offset);
}

static void test_error(void **state)
{
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr err;
		struct nlattr attr;
		char text[8];
	} m = {
		.nlh = { .nlmsg_len = sizeof(m), .nlmsg_type = NLMSG_ERROR,
			 .nlmsg_flags = NLM_F_CAPPED | NLM_F_ACK_TLVS },
		.err = { .error = -EPERM, .msg = { .nlmsg_len = 20 } },
		.attr = { .nla_len = NLA_HDRLEN + 8, .nla_type = NLMSGERR_ATTR_MSG },
		.text = "refused",
	};
	const char *text;

	assert_int_equal(pinmsg_parse_error(&m.nlh, &text), -EPERM);
	assert_string_equal(text, "refused");
	/* Without its NUL it is no text. */
	m.text[7] = 'x';
	assert_int_equal(pinmsg_parse_error(&m.nlh, &text), -EPERM);
	assert_null(text);
	m.nlh.nlmsg_flags = NLM_F_ACK_TLVS;
	m.err.msg.nlmsg_len = UINT32_MAX;
	assert_int_equal(pinmsg_parse_error(&m.nlh, &text), -EPERM);
	m.nlh.nlmsg_len = NLMSG_HDRLEN + 2;
	assert_int_equal(pinmsg_parse_error(&m.nlh, &text), -EBADMSG);
}

static void put_revoke(struct nl_msg *msg)
{
	nla_put_u64(msg, PINGUARD_A_REVOKE_SEQ, 78);
	nla_put_u64(msg, PINGUARD_A_REVOKE_ID, 6);
	nla_put_u32(msg, PINGUARD_A_REVOKE_REASON, PINGUARD_REVOKE_REASON_DEVICE_REMOVAL);
	nla_put_string(msg, PINGUARD_A_REVOKE_DEVICE, "dax0.0");
	nla_put_u64(msg, PINGUARD_A_REVOKE_PFN_FIRST, 0x140000);
	nla_put_u64(msg, PINGUARD_A_REVOKE_PFN_LAST, 0x14ffff);
	nla_put_u64(msg, PINGUARD_A_REVOKE_PINS, 3);
	nla_put_u32(msg, PINGUARD_A_REVOKE_TIMEOUT, 30000);
	nla_put_u64(msg, PINGUARD_A_REVOKE_START_TIME, 1700000000123456789);
	nla_put_u32(msg, PINGUARD_A_REVOKE_TGID, 1234);
	nla_put(msg, PINGUARD_A_REVOKE_COMM, 5, "ndctl");
	nla_put_u32(msg, PINGUARD_A_REVOKE_OUTCOME, PINGUARD_REVOKE_OUTCOME_DONE);
}

static void check_revoke(const struct revoke_info *r)
{
	assert_int_equal(r->id, 6);
	assert_int_equal(r->reason, PINGUARD_REVOKE_REASON_DEVICE_REMOVAL);
	assert_string_equal(r->device, "dax0.0");
	assert_int_equal(r->first_pfn, 0x140000);
	assert_int_equal(r->last_pfn, 0x14ffff);
	assert_int_equal(r->pins, 3);
	assert_int_equal(r->timeout_usec, 30000000);
	assert_int_equal(r->started_usec, 1700000000123456);
	assert_int_equal(r->tgid, 1234);
	assert_int_equal(r->comm_len, 5);
	assert_memory_equal(r->comm, "ndctl", 5);
}

static void test_revoke(void **state)
{
	_cleanup_msg_ struct nl_msg *begin = message(PINGUARD_CMD_REVOKE_NTF);
	_cleanup_msg_ struct nl_msg *done = message(PINGUARD_CMD_REVOKE_DONE_NTF);
	_cleanup_msg_ struct nl_msg *list = message(PINGUARD_CMD_GET_REVOKE);
	struct revoke_info revoke = {};
	struct pinmsg m;

	put_revoke(begin);
	assert_int_equal(pinmsg_parse(nlmsg_hdr(begin), &m), 0);
	assert_int_equal(m.type, PINMSG_ALERT);
	assert_int_equal(m.event.type, PIN_EVENT_REVOKE);
	assert_int_equal(m.event.seq, 78);
	check_revoke(&m.event.revoke);
	assert_int_equal(pinmsg_parse_revoke(nlmsg_hdr(begin), &revoke), -EBADMSG);

	put_revoke(done);
	assert_int_equal(pinmsg_parse(nlmsg_hdr(done), &m), 0);
	assert_int_equal(m.event.type, PIN_EVENT_REVOKE_DONE);
	assert_int_equal(m.event.revoke.outcome, PINGUARD_REVOKE_OUTCOME_DONE);

	put_revoke(list);
	assert_int_equal(pinmsg_parse_revoke(nlmsg_hdr(list), &revoke), 0);
	check_revoke(&revoke);
	assert_int_equal(pinmsg_parse(nlmsg_hdr(list), &m), 0);
	assert_int_equal(m.type, PINMSG_OTHER);
}

static void test_bad_revoke(void **state)
{
	_cleanup_msg_ struct nl_msg *no_seq = message(PINGUARD_CMD_REVOKE_NTF);
	_cleanup_msg_ struct nl_msg *turned = message(PINGUARD_CMD_REVOKE_NTF);
	_cleanup_msg_ struct nl_msg *no_range = message(PINGUARD_CMD_REVOKE_NTF);
	struct pinmsg m = { .type = PINMSG_OTHER };

	nla_put_u64(no_seq, PINGUARD_A_REVOKE_ID, 6);
	nla_put_u64(no_seq, PINGUARD_A_REVOKE_PFN_FIRST, 1);
	nla_put_u64(no_seq, PINGUARD_A_REVOKE_PFN_LAST, 1);
	assert_int_equal(pinmsg_parse(nlmsg_hdr(no_seq), &m), -EBADMSG);
	nla_put_u64(turned, PINGUARD_A_REVOKE_SEQ, 1);
	nla_put_u64(turned, PINGUARD_A_REVOKE_ID, 6);
	nla_put_u64(turned, PINGUARD_A_REVOKE_PFN_FIRST, 2);
	nla_put_u64(turned, PINGUARD_A_REVOKE_PFN_LAST, 1);
	assert_int_equal(pinmsg_parse(nlmsg_hdr(turned), &m), -EBADMSG);
	nla_put_u64(no_range, PINGUARD_A_REVOKE_SEQ, 1);
	nla_put_u64(no_range, PINGUARD_A_REVOKE_ID, 6);
	assert_int_equal(pinmsg_parse(nlmsg_hdr(no_range), &m), -EBADMSG);
	assert_int_equal(m.type, PINMSG_OTHER);
}

/* A kernel that does not say it charges for all; none charges for more. */
static void test_charged(void **state)
{
	static const struct {
		uint64_t charged;
		bool said;
		uint64_t shared;
	} cases[] = { { 0, false, 0 }, { 0, true, 8192 }, { 4096, true, 4096 },
		      { 8192, true, 0 }, { 8193, true, 0 } };
	struct pinmsg m;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_msg_ struct nl_msg *pin = message(PINGUARD_CMD_GET_PIN);

		nla_put_u64(pin, PINGUARD_A_PIN_ID, 1);
		nla_put_u64(pin, PINGUARD_A_PIN_BYTES, 8192);
		if (cases[i].said)
			nla_put_u64(pin, PINGUARD_A_PIN_CHARGED_BYTES, cases[i].charged);
		assert_int_equal(pinmsg_parse(nlmsg_hdr(pin), &m), 0);
		assert_int_equal(m.type, PINMSG_DUMP_PIN);
		assert_int_equal(m.event.pin.shared_bytes, cases[i].shared);
	}
}

static void test_policy_and_owner(void **state)
{
	_cleanup_msg_ struct nl_msg *policy = message(PINGUARD_CMD_GET_POLICY);
	_cleanup_msg_ struct nl_msg *owner = message(PINGUARD_CMD_GET_OWNER);
	struct policy_info info;
	uint32_t tgid;

	assert_int_equal(pinmsg_parse_policy(nlmsg_hdr(policy), &info), -EBADMSG);
	nla_put_u64(policy, PINGUARD_A_POLICY_CGROUP_ID, 0x100000001);
	nla_put_u32(policy, PINGUARD_A_POLICY_POLICY, PINGUARD_POLICY_DENY);
	assert_int_equal(pinmsg_parse_policy(nlmsg_hdr(policy), &info), 0);
	assert_int_equal(info.cgroup_id, 0x100000001);
	assert_int_equal(info.policy, PINGUARD_POLICY_DENY);
	assert_int_equal(info.count, PINGUARD_COUNT_EACH);
	nla_put_u32(policy, PINGUARD_A_POLICY_COUNT, PINGUARD_COUNT_ONCE);
	assert_int_equal(pinmsg_parse_policy(nlmsg_hdr(policy), &info), 0);
	assert_int_equal(info.count, PINGUARD_COUNT_ONCE);

	assert_int_equal(pinmsg_parse_owner(nlmsg_hdr(owner), &tgid), -EBADMSG);
	nla_put_u32(owner, PINGUARD_A_OWNER_TGID, 77);
	assert_int_equal(pinmsg_parse_owner(nlmsg_hdr(owner), &tgid), 0);
	assert_int_equal(tgid, 77);
	assert_int_equal(pinmsg_parse_owner(nlmsg_hdr(policy), &tgid), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_event),
		cmocka_unit_test(test_unknown_attributes),
		cmocka_unit_test(test_unknown_command),
		cmocka_unit_test(test_dump),
		cmocka_unit_test(test_deny),
		cmocka_unit_test(test_charged),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_long_device),
		cmocka_unit_test(test_comm),
		cmocka_unit_test(test_info),
		cmocka_unit_test(test_error),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_bad_failure),
		cmocka_unit_test(test_offset),
		cmocka_unit_test(test_revoke),
		cmocka_unit_test(test_bad_revoke),
		cmocka_unit_test(test_policy_and_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
