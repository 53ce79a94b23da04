/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the parts of a reading: processes, RDMA, AF_XDP. */
#ifndef PINGUARD_KERNEL_OBSERVE_INTERNAL_H
#define PINGUARD_KERNEL_OBSERVE_INTERNAL_H

#include <dirent.h>
#include <netlink/socket.h>

#include "daemon/kernel/nlio.h"
#include "daemon/kernel/observe.h"
#include "daemon/kernel/rdmamsg.h"

/* A question to netlink. */
struct observe_dump {
	nlio_handler handler; /* userdata: the observer; a result other than 0 is the last */
	int (*over)(struct observe *o); /* after that, and when no more comes */
};

/* A memory region that the thread which made it has left behind. */
struct rdma_orphan {
	struct rdma_object region; /* pid: of who is taken for its process, once that is known */
	uint32_t above, next_above; /* number of what is looked for; that one's parent */
	bool has_next;
};

struct observe {
	sd_event *event;
	sd_event_source *source;
	int proc_fd, sys_fd; /* sys_fd: -1 for none */
	struct observe_config config;
	char *reason; /* as of the last end */

	size_t part;
	int (*start_part)(struct observe *o); /* the next one */
	int (*step)(struct observe *o); /* what is done next; NULL: nothing is under way */
	uint64_t started_usec, done_usec;
	struct nl_sock *sk;
	const struct observe_dump *dump;

	/* Processes: what is read now, and what the last reading found. */
	DIR *dir;
	struct observe_process *next, *last;
	size_t n_next, n_last;
	bool hidden, last_hidden; /* /proc does not show others' */

	struct rdma_device *devices;
	size_t n_devices, device;
	uint32_t *on_demand; /* regions of this device that are not pinned */
	size_t n_on_demand;
	bool exclusive; /* devices in other network namespaces are not listed */
	struct rdma_orphan *orphans;
	size_t n_orphans, orphan;
	struct pin_info owner; /* of the region before: they come in runs */
	uint32_t owner_thread;
};

int observe_rdma_start(struct observe *o);
void observe_rdma_clear(struct observe *o);
int observe_xdp_start(struct observe *o);

/* Each part goes on with the next when it is over, or can do nothing here. */
int observe_next_part(struct observe *o);
/* Asks over o->sk; where that fails the part is over. */
int observe_ask(struct observe *o, struct nl_msg *msg, const struct observe_dump *dump);
/*
 * The process, user and cgroup of a thread, and nothing else of a pin; false
 * where it is there no more, 0 for one of which that is known.
 */
bool observe_find_owner(struct observe *o, uint32_t thread, struct pin_info *ret);
uint64_t observe_cgroup_of(struct observe *o, pid_t pid);
/* Whether that error means that /proc keeps a process from us. */
bool observe_is_withheld(int error);

#endif
