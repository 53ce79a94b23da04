/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What cgroups have pinned, as eBPF programs count it, and the limits that these keep.
 * The service alone writes limits; they are in force without it.
 */
#ifndef PINGUARD_KERNEL_PROBE_GROUPS_H
#define PINGUARD_KERNEL_PROBE_GROUPS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/probe-layout.h"

struct probe_groups {
	size_t n; /* places that may be in use */
	const struct probe_group *groups;
	struct probe_bucket *limits; /* PROBE_BUCKETS_MAX of them */
};

/* Bytes that a cgroup and those below it have pinned. */
uint64_t probe_groups_current(const struct probe_groups *g, uint64_t cgroup_id);
/* UINT64_MAX for none; what it refused since it was set, 0 for none. */
uint64_t probe_groups_max(const struct probe_groups *g, uint64_t cgroup_id);
uint64_t probe_groups_denied(const struct probe_groups *g, uint64_t cgroup_id);
/* The id of the next cgroup with a limit, after one of these; 0 starts, 0 ends. */
uint64_t probe_groups_next(const struct probe_groups *g, uint64_t cgroup_id);
/* UINT64_MAX takes it away. 0, or -ENOSPC: there is no room where it would be */
int probe_groups_set_max(const struct probe_groups *g, uint64_t cgroup_id, uint64_t max_bytes);

#endif
