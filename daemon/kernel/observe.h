/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a kernel without the patch says: VmPin and VmLck of processes, the memory
 * regions that RDMA netlink lists, the memory of AF_XDP sockets. Read when
 * somebody asks.
 */
#ifndef PINGUARD_KERNEL_OBSERVE_H
#define PINGUARD_KERNEL_OBSERVE_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "daemon/kernel/listener.h"
#include "lib/macros.h"

struct observe;

/* A process that has pinned or locked memory. */
struct observe_process {
	uint64_t cgroup_id; /* 0 where its cgroup is not known */
	uint64_t pinned_bytes;
	uint64_t locked_bytes;
	uint32_t uid;
};

struct observe_config {
	const char *proc; /* "/proc" */
	const char *sys; /* "/sys"; without it no RDMA devices are looked for */
	const char *reason; /* why it is only observed */
	/* The id of a cgroup whose raw path is known; 0 where there is none. NULL: no cgroups */
	uint64_t (*cgroup_id)(const char *path, void *userdata);
	const struct source_listener *listener; /* begin, pin, end */
	void *userdata;
};
/* All of that outlives the observer. */

int observe_new(sd_event *event, const struct observe_config *config, struct observe **ret);
struct observe *observe_free(struct observe *o);
DEFINE_CLEANUP(struct observe *, observe_free);

/*
 * Starts to read anew, unless that is under way or was done a moment ago.
 * 1: what there is now is fresh; 0: end() will be called.
 */
int observe_refresh(struct observe *o);
/* As of the last end(). */
const struct observe_process *observe_processes(const struct observe *o, size_t *ret_n);
/* Likewise: whether others' processes could not be read, so that nobody knows what they pin. */
bool observe_is_blind(const struct observe *o);
/* The reason, and what is not seen beside it. Likewise. */
const char *observe_reason(const struct observe *o);

#endif
