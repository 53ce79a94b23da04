/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the family's messages alone. */
#ifndef PINGUARD_PINMSG_INTERNAL_H
#define PINGUARD_PINMSG_INTERNAL_H

#include <netlink/attr.h>

#include "daemon/kernel/pinmsg.h"
#include "lib/macros.h"

#define NSEC_PER_USEC 1000ULL
#define USEC_PER_MSEC 1000ULL

static inline uint64_t get_u64(struct nlattr *const *tb, int attr, uint64_t fallback)
{
	return tb[attr] ? nla_get_u64(tb[attr]) : fallback;
}

static inline uint32_t get_u32(struct nlattr *const *tb, int attr, uint32_t fallback)
{
	return tb[attr] ? nla_get_u32(tb[attr]) : fallback;
}

int pinmsg_parse_attrs(const struct nlmsghdr *nlh, struct nlattr **tb, int max,
		       const struct nla_policy *policy, uint8_t *ret_cmd);
/* The length of it; comm has PIN_COMM_MAX bytes. attr may be NULL. */
uint8_t pinmsg_copy_comm(struct nlattr *attr, uint8_t *comm);
/* REVOKE or REVOKE-DONE. */
int pinmsg_parse_revoke_event(const struct nlmsghdr *nlh, struct pinmsg *ret);
/* FAILURE or FAILURE-DONE. */
int pinmsg_parse_failure_event(const struct nlmsghdr *nlh, struct pinmsg *ret);

#endif
