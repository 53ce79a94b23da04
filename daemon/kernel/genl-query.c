/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which pins hold memory of a range: dumps with a filter, one after another. */
#include <errno.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/socket.h>
#include <string.h>
#include <sys/epoll.h>

#include "daemon/kernel/genl-internal.h"
#include "lib/log.h"

#define RECVS_PER_WAKEUP 4 /* the kernel looks at frames while it is read */

struct range_query {
	struct genl *g;
	const struct range_listener *listener;
	void *userdata;
	struct nl_sock *sk;
	sd_event_source *source;
	uint32_t seq; /* of the dump under way */
	size_t n, next;
	struct pfn_range ranges[];
};

static int ask_next(struct range_query *q)
{
	const struct pfn_range *range = &q->ranges[q->next++];
	_cleanup_(nlmsg_freep) struct nl_msg *msg = nlmsg_alloc();
	int r;

	if (!msg || !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, q->g->family, 0, NLM_F_DUMP,
				 PINGUARD_CMD_GET_PIN, PINGUARD_FAMILY_VERSION) ||
	    nla_put_u64(msg, PINGUARD_A_PIN_PFN_FIRST, range->first) < 0 ||
	    nla_put_u64(msg, PINGUARD_A_PIN_PFN_LAST, range->last) < 0)
		return -ENOMEM;
	r = nlio_send(q->sk, msg);
	if (r < 0)
		return r;
	q->seq = nlmsg_hdr(msg)->nlmsg_seq;
	return 0;
}

/* 1 when this range has been told. */
static int on_message(const struct nlmsghdr *nlh, void *userdata)
{
	struct range_query *q = userdata;
	const char *text;
	struct pinmsg msg;
	int r;

	if (nlh->nlmsg_seq != q->seq)
		return 0;
	/*
	 * NLM_F_DUMP_INTR does not matter: the kernel goes by ids, which only
	 * grow, and misses nothing that is there from beginning to end.
	 */
	if (nlh->nlmsg_type == NLMSG_DONE || nlh->nlmsg_type == NLMSG_ERROR) {
		r = pinmsg_parse_error(nlh, &text);
		if (r < 0)
			log_debug_errno(r, "the kernel does not list pins by range: %s",
					text ?: strerror(-r));
		return r < 0 ? r : 1;
	}
	if (nlh->nlmsg_type != q->g->family)
		return 0;
	r = pinmsg_parse(nlh, &msg);
	if (r < 0 || msg.type != PINMSG_DUMP_PIN)
		return r;
	return q->listener->pin(&msg.event.pin, q->userdata);
}

static void finish(struct range_query *q, int error)
{
	q->source = sd_event_source_disable_unref(q->source);
	q->listener->done(error, q->userdata);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct range_query *q = userdata;
	unsigned int i;
	int r = 0;

	for (i = 0; i < RECVS_PER_WAKEUP && r >= 0; i++) {
		r = nlio_recv(fd, on_message, q);
		if (r == -EAGAIN)
			return 0;
		if (r > 0 && q->next == q->n) {
			finish(q, 0);
			return 0;
		}
		if (r > 0)
			r = ask_next(q);
	}
	if (r < 0)
		finish(q, r);
	return 0;
}

int genl_query_range(struct genl *g, const struct pfn_range *ranges, size_t n,
		     const struct range_listener *listener, void *userdata,
		     struct range_query **ret)
{
	_cleanup_(range_query_freep) struct range_query *q = NULL;
	int r;

	if (n == 0)
		return -EINVAL;
	q = calloc(1, sizeof(*q) + n * sizeof(*ranges));
	if (!q)
		return -ENOMEM;
	q->g = g;
	q->listener = listener;
	q->userdata = userdata;
	q->n = n;
	memcpy(q->ranges, ranges, n * sizeof(*ranges));
	r = nlio_socket(NETLINK_GENERIC, &q->sk);
	if (r < 0)
		return r;
	r = sd_event_add_io(g->event, &q->source, nl_socket_get_fd(q->sk), EPOLLIN, on_io, q);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(q->source, "genl-range");
	r = ask_next(q);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(q);
	return 0;
}

struct range_query *range_query_free(struct range_query *q)
{
	if (!q)
		return NULL;
	sd_event_source_disable_unref(q->source);
	nl_socket_free(q->sk);
	free(q);
	return NULL;
}
