/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests to the kernel's family. It answers while the request is being sent,
 * so that reading the answer never waits.
 */
#include <errno.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/socket.h>
#include <stdio.h>
#include <string.h>

#include "daemon/kernel/genl-internal.h"

#define USEC_PER_MSEC	1000ULL
#define LIST_TRIES	5

struct request {
	struct genl *g;
	nlio_handler handler; /* of the answers; NULL for none */
	void *userdata;
	uint32_t seq;
	bool over, interrupted;
};

static int on_answer(const struct nlmsghdr *nlh, void *userdata)
{
	struct request *q = userdata;
	const char *text;
	int r;

	/* The rest of an answer that could not be read. */
	if (nlh->nlmsg_seq != q->seq)
		return 0;
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		q->interrupted = true;
	if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE) {
		q->over = true;
		r = pinmsg_parse_error(nlh, &text);
		if (r < 0 && text)
			snprintf(q->g->refusal, sizeof(q->g->refusal), "%s", text);
		return r;
	}
	if (nlh->nlmsg_type != q->g->family || !q->handler)
		return 0;
	return q->handler(nlh, q->userdata);
}

/* Takes what came of building the message, too. -EINTR: a list that changed meanwhile. */
static int request(struct genl *g, struct nl_msg *msg, nlio_handler handler, void *userdata)
{
	struct request q = { .g = g, .handler = handler, .userdata = userdata };
	int r;

	g->refusal[0] = '\0';
	if (!msg)
		return -ENOMEM;
	r = nlio_send(g->request, msg);
	if (r < 0)
		return r;
	q.seq = nlmsg_hdr(msg)->nlmsg_seq;
	while (!q.over) {
		r = nlio_recv(nl_socket_get_fd(g->request), on_answer, &q);
		if (r != 0)
			return r == -EAGAIN ? -EBADMSG : r;
	}
	return q.interrupted ? -EINTR : 0;
}

static struct nl_msg *message(struct genl *g, uint8_t cmd, int flags)
{
	struct nl_msg *msg = nlmsg_alloc();

	if (!msg || genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, g->family, 0, flags, cmd,
				PINGUARD_FAMILY_VERSION))
		return msg;
	nlmsg_free(msg);
	return NULL;
}

const char *genl_refusal(const struct genl *g)
{
	return g->refusal[0] ? g->refusal : NULL;
}

static int on_info(const struct nlmsghdr *nlh, void *userdata)
{
	return pinmsg_parse_info(nlh, userdata);
}

int genl_get_info(struct genl *g, struct pin_kernel_info *ret)
{
	_cleanup_(nlmsg_freep) struct nl_msg *msg = message(g, PINGUARD_CMD_GET_INFO, NLM_F_ACK);
	struct pin_kernel_info info = {};
	int r;

	r = request(g, msg, on_info, &info);
	if (r < 0)
		return r;
	*ret = info;
	return 0;
}

static int on_pin_answer(const struct nlmsghdr *nlh, void *userdata)
{
	struct pinmsg *ret = userdata;

	return pinmsg_parse(nlh, ret);
}

int genl_get_pin(struct genl *g, uint64_t id, struct pin_info *ret)
{
	_cleanup_(nlmsg_freep) struct nl_msg *msg = message(g, PINGUARD_CMD_GET_PIN, NLM_F_ACK);
	struct pinmsg answer = {};
	int r;

	if (msg && nla_put_u64(msg, PINGUARD_A_PIN_ID, id) < 0)
		return -ENOMEM;
	r = request(g, msg, on_pin_answer, &answer);
	if (r < 0)
		return r;
	if (answer.type != PINMSG_DUMP_PIN || answer.event.pin.id != id)
		return -EBADMSG;
	*ret = answer.event.pin;
	return 0;
}

static int on_frame_answer(const struct nlmsghdr *nlh, void *userdata)
{
	return pinmsg_parse_frame(nlh, userdata);
}

int genl_get_frame(struct genl *g, uint64_t pfn, struct frame_info *ret)
{
	_cleanup_(nlmsg_freep) struct nl_msg *msg = message(g, PINGUARD_CMD_GET_FRAME, NLM_F_ACK);
	struct frame_info frame = {};
	int r;

	if (msg && nla_put_u64(msg, PINGUARD_A_FRAME_PFN, pfn) < 0)
		return -ENOMEM;
	r = request(g, msg, on_frame_answer, &frame);
	if (r < 0)
		return r;
	if (frame.pfn != pfn || !frame.class)
		return -EBADMSG;
	*ret = frame;
	return 0;
}

int genl_set_owner(struct genl *g, int pidfd, bool revocable)
{
	_cleanup_(nlmsg_freep) struct nl_msg *msg = message(g, PINGUARD_CMD_SET_OWNER, NLM_F_ACK);

	if (msg && (nla_put_u32(msg, PINGUARD_A_OWNER_PIDFD, pidfd) < 0 ||
		    nla_put_u32(msg, PINGUARD_A_OWNER_REVOCABLE, revocable) < 0))
		return -ENOMEM;
	return request(g, msg, NULL, NULL);
}

int genl_set_policy(struct genl *g, const struct policy_info *policy)
{
	_cleanup_(nlmsg_freep) struct nl_msg *msg = message(g, PINGUARD_CMD_SET_POLICY, NLM_F_ACK);

	if (msg && (nla_put_u64(msg, PINGUARD_A_POLICY_CGROUP_ID, policy->cgroup_id) < 0 ||
		    nla_put_u32(msg, PINGUARD_A_POLICY_POLICY, policy->policy) < 0))
		return -ENOMEM;
	if (msg && g->features & PINGUARD_FEATURE_ONCE &&
	    nla_put_u32(msg, PINGUARD_A_POLICY_COUNT, policy->count) < 0)
		return -ENOMEM;
	return request(g, msg, NULL, NULL);
}

static int on_policy_answer(const struct nlmsghdr *nlh, void *userdata)
{
	return pinmsg_parse_policy(nlh, userdata);
}

int genl_get_policy(struct genl *g, uint64_t cgroup_id, struct policy_info *ret)
{
	_cleanup_(nlmsg_freep) struct nl_msg *msg = message(g, PINGUARD_CMD_GET_POLICY, NLM_F_ACK);
	struct policy_info policy = {};
	int r;

	if (msg && nla_put_u64(msg, PINGUARD_A_POLICY_CGROUP_ID, cgroup_id) < 0)
		return -ENOMEM;
	r = request(g, msg, on_policy_answer, &policy);
	if (r < 0)
		return r;
	if (!policy.policy)
		return -EBADMSG;
	*ret = policy;
	return 0;
}

int genl_set_revoke(struct genl *g, uint32_t mode, uint64_t timeout_usec)
{
	_cleanup_(nlmsg_freep) struct nl_msg *msg = message(g, PINGUARD_CMD_SET_REVOKE, NLM_F_ACK);
	uint64_t msec = MIN(timeout_usec / USEC_PER_MSEC, (uint64_t)UINT32_MAX);

	if (msg && (nla_put_u32(msg, PINGUARD_A_REVOKE_MODE, mode) < 0 ||
		    nla_put_u32(msg, PINGUARD_A_REVOKE_TIMEOUT, msec) < 0))
		return -ENOMEM;
	return request(g, msg, NULL, NULL);
}

struct list {
	genl_owner_handler owner;
	genl_policy_handler policy;
	genl_revoke_handler revoke;
	genl_failure_handler failure;
	void *userdata;
};

static int on_list_owner(const struct nlmsghdr *nlh, void *userdata)
{
	struct list *list = userdata;
	uint32_t tgid;

	return pinmsg_parse_owner(nlh, &tgid) ?: list->owner(tgid, list->userdata);
}

static int on_list_policy(const struct nlmsghdr *nlh, void *userdata)
{
	struct list *list = userdata;
	struct policy_info policy;

	return pinmsg_parse_policy(nlh, &policy) ?: list->policy(&policy, list->userdata);
}

static int on_list_revoke(const struct nlmsghdr *nlh, void *userdata)
{
	struct list *list = userdata;
	struct revoke_info revoke;

	return pinmsg_parse_revoke(nlh, &revoke) ?: list->revoke(&revoke, list->userdata);
}

static int on_list_failure(const struct nlmsghdr *nlh, void *userdata)
{
	struct list *list = userdata;
	struct failure_info failure;

	return pinmsg_parse_failure(nlh, &failure) ?: list->failure(&failure, list->userdata);
}

static int request_list(struct genl *g, uint8_t cmd, nlio_handler handler, struct list *list)
{
	unsigned int i;
	int r = -EINTR;

	for (i = 0; i < LIST_TRIES && r == -EINTR; i++) {
		_cleanup_(nlmsg_freep) struct nl_msg *msg = message(g, cmd, NLM_F_DUMP);

		r = request(g, msg, handler, list);
	}
	return r;
}

int genl_list_owners(struct genl *g, genl_owner_handler handler, void *userdata)
{
	struct list list = { .owner = handler, .userdata = userdata };

	return request_list(g, PINGUARD_CMD_GET_OWNER, on_list_owner, &list);
}

int genl_list_policies(struct genl *g, genl_policy_handler handler, void *userdata)
{
	struct list list = { .policy = handler, .userdata = userdata };

	return request_list(g, PINGUARD_CMD_GET_POLICY, on_list_policy, &list);
}

int genl_list_revokes(struct genl *g, genl_revoke_handler handler, void *userdata)
{
	struct list list = { .revoke = handler, .userdata = userdata };

	return request_list(g, PINGUARD_CMD_GET_REVOKE, on_list_revoke, &list);
}

int genl_list_failures(struct genl *g, genl_failure_handler handler, void *userdata)
{
	struct list list = { .failure = handler, .userdata = userdata };

	return request_list(g, PINGUARD_CMD_GET_FAILURE, on_list_failure, &list);
}
