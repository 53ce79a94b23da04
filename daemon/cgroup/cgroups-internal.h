/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_CGROUP_CGROUPS_INTERNAL_H
#define PINGUARD_CGROUP_CGROUPS_INTERNAL_H

#include "daemon/cgroup/cgroups.h"

struct cgroups {
	sd_event *event;
	struct cgroupfs *fs; /* NULL: no cgroup2, reason says why */
	char *reason;
	struct cgroup_tree *tree; /* NULL until the start */
	char **enabled; /* delegated subtrees, for the tree; NULL for none */
	struct quotas *quotas; /* both NULL without fs */
	struct policies *policies;
	bool enforced; /* the kernel asks for policies, and would keep quotas */
	bool misc; /* the kernel's misc controller knows the resource */
	bool misc_listed; /* cgroup2 has a misc controller at all */

	/* Cgroups with a limit or a denial, as the last walk found them. */
	struct cgroup_node **noted;
	size_t n_noted;
	size_t n_refused; /* of those, with refusals that are counted here */
	uint64_t noted_usec, noted_cost_usec;
	bool noted_cut; /* there were too many to look at all */

	/* The walk that is under way, NULL for none, and what it has found: references. */
	struct cgroup_walk *walk;
	sd_event_source *walk_turn;
	struct cgroup_node **found;
	size_t n_found;
	uint64_t walk_cost_usec;
	cgroups_done noted_done;
	void *noted_userdata;
};

/* cgroups-noted.c: what is under way is dropped. */
void cgroups_walk_stop(struct cgroups *c);

#endif
