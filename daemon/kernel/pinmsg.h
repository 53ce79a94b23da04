/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of the kernel's pinguard family as plain structs. No I/O. */
#ifndef PINGUARD_KERNEL_PINMSG_H
#define PINGUARD_KERNEL_PINMSG_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/model/model.h"

/* Answer to get-info. */
struct pin_kernel_info {
	uint64_t features;
	uint64_t pins;
	uint64_t bytes;
	uint64_t denied;
	uint64_t failures; /* of memory since boot: the number of the last one */
};

/* Answer to get-policy. */
struct policy_info {
	uint64_t cgroup_id;
	uint32_t policy; /* PINGUARD_POLICY_* */
	uint32_t count; /* PINGUARD_COUNT_* */
};

/* Answer to get-frame. */
struct frame_info {
	uint64_t pfn;
	uint32_t class; /* PINGUARD_MEMORY_CLASS_*, or what a newer kernel knows */
	bool has_page_flags;
	uint64_t page_flags; /* KPF_* bits */
};

enum pinmsg_type {
	PINMSG_EVENT,
	PINMSG_ALERT, /* of memory; event.seq is that of the last event of a pin before it */
	PINMSG_DUMP_START, /* seq alone: where the dump starts */
	PINMSG_DUMP_PIN, /* event.pin alone */
	PINMSG_OTHER, /* a command of a newer kernel */
};

struct pinmsg {
	enum pinmsg_type type;
	struct pin_event event;
};

/*
 * nlh: a whole message whose length was checked with nlmsg_ok(). Attributes
 * that are unknown are ignored.
 * Returns 0, or -EBADMSG where the message cannot be what it says it is.
 */
int pinmsg_parse(const struct nlmsghdr *nlh, struct pinmsg *ret);
int pinmsg_parse_info(const struct nlmsghdr *nlh, struct pin_kernel_info *ret);
int pinmsg_parse_revoke(const struct nlmsghdr *nlh, struct revoke_info *ret);
int pinmsg_parse_failure(const struct nlmsghdr *nlh, struct failure_info *ret);
int pinmsg_parse_frame(const struct nlmsghdr *nlh, struct frame_info *ret);
int pinmsg_parse_policy(const struct nlmsghdr *nlh, struct policy_info *ret);
int pinmsg_parse_owner(const struct nlmsghdr *nlh, uint32_t *ret_tgid);

/*
 * The errno of NLMSG_ERROR or NLMSG_DONE, 0 or negative; -EBADMSG for a short
 * one. ret_text: the kernel's words for it inside the message, or NULL.
 */
int pinmsg_parse_error(const struct nlmsghdr *nlh, const char **ret_text);

#endif
