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

#include "daemon/genl-internal.h"

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
		if (r < 0)
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

int genl_set_owner(struct genl *g, int pidfd, bool revocable)
{
	_cleanup_(nlmsg_freep) struct nl_msg *msg = message(g, PINGUARD_CMD_SET_OWNER, NLM_F_ACK);

	if (msg && (nla_put_u32(msg, PINGUARD_A_OWNER_PIDFD, pidfd) < 0 ||
		    nla_put_u32(msg, PINGUARD_A_OWNER_REVOCABLE, revocable) < 0))
		return -ENOMEM;
	return request(g, msg, NULL, NULL);
}
