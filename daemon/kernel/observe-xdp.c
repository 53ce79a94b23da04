/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory of AF_XDP sockets in the service's network namespace. */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "daemon/kernel/observe-internal.h"
#include "daemon/kernel/procfs.h"
#include "daemon/kernel/xdpmsg.h"

/* Never one of a memory region. */
#define SYNTHETIC_ID(umem) (1ULL << 63 | (umem))

static int on_umem(const struct nlmsghdr *nlh, void *userdata)
{
	struct observe *o = userdata;
	struct pin_info pin = { .kind = PINGUARD_KIND_XDP };
	struct xdp_umem umem;
	char name[IF_NAMESIZE];

	/* An error, too: of a kernel that cannot tell. */
	if (nlh->nlmsg_type == NLMSG_DONE || nlh->nlmsg_type == NLMSG_ERROR)
		return 1;
	if (nlh->nlmsg_type != xdpmsg_type() || xdpmsg_parse(nlh, &umem) < 0)
		return 0;
	/* Sockets that share it come one by one: the last is the one that is oldest. */
	pin.id = SYNTHETIC_ID(umem.id);
	pin.bytes = (uint64_t)umem.pages * sysconf(_SC_PAGESIZE);
	pin.uid = umem.uid;
	if (umem.ifindex && if_indextoname(umem.ifindex, name))
		strcpy(pin.device, name);
	return o->config.listener->pin(&pin, o->config.userdata);
}

static const struct observe_dump umems = { .handler = on_umem, .over = observe_next_part };

int observe_xdp_start(struct observe *o)
{
	_cleanup_(nlmsg_freep) struct nl_msg *msg = NULL;

	/* To ask would load a module, for machines that have no such sockets. */
	if (procfs_count_sockets(o->proc_fd, "XDP") == 0 ||
	    nlio_socket(NETLINK_SOCK_DIAG, &o->sk) < 0)
		return observe_next_part(o);
	msg = xdpmsg_request();
	return observe_ask(o, msg, &umems);
}
