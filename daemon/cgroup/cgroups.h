/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tree of cgroups as a whole: what is on in it, what is set, where something is noted. */
#ifndef PINGUARD_CGROUP_CGROUPS_H
#define PINGUARD_CGROUP_CGROUPS_H

#include <systemd/sd-event.h>

#include "daemon/cgroup/cgroupfs.h"
#include "daemon/cgroup/policies.h"
#include "daemon/cgroup/quotas.h"
#include "daemon/cgroup/tree.h"
#include "daemon/kernel/kernel.h"

struct cgroups;

/* What they stand on, and outlives them. */
struct cgroups_config {
	const char *mount; /* of cgroup2, NULL to look for it */
	const char *state_dir; /* NULL for none: what is set is of the runtime then */
	struct registry *registry;
	struct genl *genl; /* enforces policies; NULL for none */
	const char *const *quota_dirs; /* what files declare, as declarations_load() */
	/* What files declare counts for a cgroup that has appeared, and may pin already. */
	void (*declared)(void *userdata); /* NULL for nobody */
	void *userdata;
};

/* A machine without cgroup2 is no error. Others are logged. 0 or a negative errno */
int cgroups_new(sd_event *event, const struct cgroups_config *config, struct cgroups **ret);
struct cgroups *cgroups_free(struct cgroups *c);
DEFINE_CLEANUP(struct cgroups *, cgroups_free);

/*
 * Delegated subtrees in which the controller is turned on as well, at the start or when
 * all is done anew. 0 or -ENOMEM
 */
int cgroups_set_enabled(struct cgroups *c, char *const *paths);
/*
 * Turns the controller on, follows what comes and goes, and puts what is stored
 * into the kernel. Once, as soon as this is the only service. Logs its errors.
 */
int cgroups_start(struct cgroups *c);
/*
 * All of that anew, and what files declare: if one of them is wrong, that stays as it
 * was. done() is called when all cgroups have it, once, also from within; a reload
 * that comes meanwhile takes the place of this one.
 */
typedef int (*cgroups_done)(void *userdata);
int cgroups_reload(struct cgroups *c, cgroups_done done, void *userdata);
/*
 * The quotas of a cgroup, and of all above it, at once: set or declared. The
 * controller is turned on above it first, where that is this service's to do.
 * -ENOENT: no such cgroup; -EOPNOTSUPP: not possible at *ret_at, *ret_reason (the
 * caller frees both) says why
 */
int cgroups_enforce(struct cgroups *c, const char *path, char **ret_at, char **ret_reason);

struct cgroupfs *cgroups_fs(const struct cgroups *c); /* NULL: no cgroup2 */
const char *cgroups_reason(const struct cgroups *c); /* why there is none */
/* Both NULL without cgroup2. */
struct quotas *cgroups_quotas(const struct cgroups *c);
struct policies *cgroups_policies(const struct cgroups *c);
/*
 * What counts and limits from now on, in place of the controller: NULL for nothing. What
 * is stored and declared is applied to all cgroups, in turns.
 */
int cgroups_set_counter(struct cgroups *c, const struct cgroup_counter *counter);
/* Whether pinned memory is counted and limited in cgroups. */
bool cgroups_count(const struct cgroups *c);
/* What is known here of what works. */
void cgroups_describe(const struct cgroups *c, struct support *support);
/* Where the controller could not be turned on; NULL for nowhere. */
const struct cgroup_tree_entry *cgroups_uncontrolled(const struct cgroups *c);

/*
 * Finds those with a limit or a denial: a walk over the tree, in turns. 1 where it
 * did so a moment ago; 0: done() will be called, once, unless another call comes
 * before that.
 */
int cgroups_note_limits(struct cgroups *c, cgroups_done done, void *userdata);
/* Whether that is under way. */
bool cgroups_are_walked(const struct cgroups *c);
/* One that has got a limit just now. */
int cgroups_note(struct cgroups *c, struct cgroup_node *node);
/* How long ago that was, and whether all were looked at; false where it never was. */
bool cgroups_noted_age(const struct cgroups *c, uint64_t *ret_usec, bool *ret_complete);
/*
 * A pin of a process in it was refused by another limit than a cgroup's, which no
 * file of cgroup2 counts. Of no more than CGROUPS_REFUSED_MAX cgroups that is kept
 * for sure, as long as they exist.
 */
#define CGROUPS_REFUSED_MAX 4096
int cgroups_refused(struct cgroups *c, struct cgroup_node *node);
/* Those that have been found. */
struct cgroup_node *const *cgroups_noted(const struct cgroups *c, size_t *ret_n);

#endif
