/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of a reading share: questions to netlink, and whose something is. */
#include <errno.h>

#include "daemon/kernel/observe-internal.h"
#include "daemon/kernel/procfs.h"

#define STEP_RECVS 16

bool observe_is_withheld(int error)
{
	return error == -EACCES || error == -EPERM;
}

uint64_t observe_cgroup_of(struct observe *o, pid_t pid)
{
	_cleanup_(freep) char *path = NULL;

	if (!o->config.cgroup_id || procfs_read_cgroup(o->proc_fd, pid, &path) < 0)
		return 0;
	return o->config.cgroup_id(path, o->config.userdata);
}

bool observe_find_owner(struct observe *o, uint32_t thread, struct pin_info *ret)
{
	struct pin_info *owner = &o->owner;
	struct proc_status st;
	int n, r;

	if (thread && o->owner_thread == thread) {
		*ret = *owner;
		return true;
	}
	r = thread ? procfs_read_status(o->proc_fd, thread, &st) : -ESRCH;
	if (r < 0) {
		/* Netlink tells those alone that live. */
		bool hidden = thread && (o->hidden || observe_is_withheld(r));

		*ret = (struct pin_info){ .tgid = hidden ? thread : 0, .uid = PIN_UID_NONE,
					  .flags = hidden ? 0 : PINGUARD_FLAG_OWNER_GONE };
		return hidden;
	}
	*owner = (struct pin_info){ .tgid = st.tgid ?: (pid_t)thread, .uid = st.uid,
				    .flags = st.has_memory ? 0 : PINGUARD_FLAG_OWNER_GONE };
	n = procfs_read_comm(o->proc_fd, owner->tgid, owner->comm, sizeof(owner->comm));
	owner->comm_len = MAX(n, 0);
	owner->cgroup_id = observe_cgroup_of(o, owner->tgid);
	o->owner_thread = thread;
	*ret = *owner;
	return true;
}

int observe_next_part(struct observe *o)
{
	nl_socket_free(o->sk);
	o->sk = NULL;
	return o->start_part(o);
}

static int step_netlink(struct observe *o)
{
	unsigned int i;
	int r;

	for (i = 0; i < STEP_RECVS; i++) {
		r = nlio_recv(nl_socket_get_fd(o->sk), o->dump->handler, o);
		if (r == 0)
			continue;
		/* The kernel answers at once: no more comes, or the end was there. */
		return r == -ENOMEM ? r : o->dump->over(o);
	}
	return 0;
}

int observe_ask(struct observe *o, struct nl_msg *msg, const struct observe_dump *dump)
{
	if (!msg)
		return -ENOMEM;
	if (nlio_send(o->sk, msg) < 0)
		return observe_next_part(o);
	o->dump = dump;
	o->step = step_netlink;
	return 0;
}
