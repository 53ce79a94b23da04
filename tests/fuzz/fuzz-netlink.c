/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages as the kernel sends them: pins, answers, errors, memory regions, sockets. */
#include <errno.h>
#include <netlink/msg.h>

#include "daemon/kernel/pinmsg.h"
#include "daemon/kernel/rdmamsg.h"
#include "daemon/kernel/xdpmsg.h"
#include "tests/fuzz/fuzz.h"

static int on_object(const struct rdma_object *object, void *userdata)
{
	uint64_t bytes = rdma_region_pinned(object, 4096);

	fuzz_assert(bytes % 4096 == 0 && (bytes == 0 || bytes >= object->bytes));
	return 0;
}

static void check_others(const struct nlmsghdr *nlh)
{
	struct rdma_device dev;
	struct xdp_umem umem;
	bool exclusive;

	if (rdmamsg_parse_device(nlh, &dev) == 0)
		fuzz_assert(memchr(dev.name, 0, sizeof(dev.name)));
	for (enum rdma_table table = RDMA_REGIONS; table <= RDMA_CONTEXTS; table++)
		(void)rdmamsg_parse_table(nlh, table, on_object, NULL);
	(void)rdmamsg_parse_exclusive(nlh, &exclusive);
	(void)xdpmsg_parse(nlh, &umem);
}

static void check_revoke(const struct revoke_info *revoke)
{
	fuzz_assert(revoke->comm_len <= sizeof(revoke->comm));
	fuzz_assert(memchr(revoke->device, 0, sizeof(revoke->device)));
	fuzz_assert(revoke->first_pfn <= revoke->last_pfn);
}

static void check_failure(const struct failure_info *failure)
{
	fuzz_assert(memchr(failure->action, 0, sizeof(failure->action)));
}

static void check(struct nlmsghdr *nlh)
{
	struct pin_kernel_info info;
	struct revoke_info revoke;
	struct frame_info frame;
	struct policy_info policy;
	struct failure_info failure;
	uint32_t tgid;
	struct pinmsg msg;
	const char *text;

	if (pinmsg_parse(nlh, &msg) == 0 && msg.type == PINMSG_ALERT &&
	    msg.event.type >= PIN_EVENT_FAILURE) {
		check_failure(&msg.event.failure);
	} else if (pinmsg_parse(nlh, &msg) == 0 && msg.type == PINMSG_ALERT &&
		   msg.event.type >= PIN_EVENT_REVOKE) {
		check_revoke(&msg.event.revoke);
	} else if (pinmsg_parse(nlh, &msg) == 0) {
		fuzz_assert(msg.event.pin.comm_len <= sizeof(msg.event.pin.comm));
		fuzz_assert(memchr(msg.event.pin.device, 0, sizeof(msg.event.pin.device)));
	}
	(void)pinmsg_parse_info(nlh, &info);
	if (pinmsg_parse_revoke(nlh, &revoke) == 0)
		check_revoke(&revoke);
	if (pinmsg_parse_failure(nlh, &failure) == 0)
		check_failure(&failure);
	(void)pinmsg_parse_frame(nlh, &frame);
	(void)pinmsg_parse_policy(nlh, &policy);
	(void)pinmsg_parse_owner(nlh, &tgid);
	fuzz_assert(pinmsg_parse_error(nlh, &text) <= 0);
	if (text)
		fuzz_assert(strlen(text) < nlh->nlmsg_len);
	check_others(nlh);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Its own, so that a read past the end is seen. */
	struct nlmsghdr *buffer = malloc(size ? size : 1), *nlh;
	int left = size;

	fuzz_assert(buffer);
	if (size)
		memcpy(buffer, data, size);
	for (nlh = buffer; nlmsg_ok(nlh, left); nlh = nlmsg_next(nlh, &left))
		check(nlh);
	free(buffer);
	return 0;
}
