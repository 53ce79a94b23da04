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
	bool counter; /* something else counts and limits in its place */
	const char *const *quota_dirs; /* NULL for the usual ones */
	void (*declared)(void *userdata);
	void *userdata;
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

	/* The look at all cgroups for what files declare, NULL for none. */
	struct cgroup_walk *look;
	sd_event_source *look_turn;
	cgroups_done declare_done; /* NULL where nobody waits */
	void *declare_userdata;
};

/* See cgroups_count(). */
static inline bool is_counted(const struct cgroups *c)
{
	return c->misc || c->counter;
}

/* cgroups-declared.c: at the start, in one go; files that are wrong are left out. */
int cgroups_declare_first(struct cgroups *c);
/*
 * All files anew: where one is wrong, all stays as it was, and is applied again. In
 * turns; done() is called at the end, but where this fails.
 */
int cgroups_declare(struct cgroups *c, cgroups_done done, void *userdata);
/* What files declare for one, and what is below it; NULL: anything may have appeared. */
void cgroups_look_at(struct cgroups *c, const char *path);
/* All cgroups, in turns. */
int cgroups_look_at_all(struct cgroups *c);

/* cgroups-noted.c: what is under way is dropped. */
void cgroups_walk_stop(struct cgroups *c);

#endif
