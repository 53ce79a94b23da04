/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turns the misc controller on in the root and in every slice, and follows slices
 * as they come and go. Inside what systemd or root has delegated only where the
 * administrator says so: cgroups in it can be threaded, and have processes beside
 * child cgroups, as long as no controller is on.
 */
#ifndef PINGUARD_CGROUP_TREE_H
#define PINGUARD_CGROUP_TREE_H

#include <systemd/sd-event.h>

#include "daemon/cgroup/cgroupfs.h"

#define CGROUP_TREE_WATCHES_MAX 4096
#define CGROUP_TREE_FOREIGN_MAX (CGROUP_TREE_WATCHES_MAX / 4) /* of directories that are not root's */
#define CGROUP_TREE_UNCONTROLLED_MAX 256 /* cgroups that are named where it cannot be turned on */

struct cgroup_tree;

struct cgroup_tree_entry {
	struct cgroup_tree_entry *next, *prev;
	char *path;
	char *reason;
};

/* A directory has appeared below one that is watched; NULL: anything may have. */
typedef int (*cgroup_tree_appeared)(const char *path, void *userdata);

/*
 * control: turn the controller on; else only watch
 * enabled: delegated cgroups in which that is done as well: in those themselves, in slices
 * in them, and where there are child cgroups. As cgroup_path_is_in() wants them, ends with
 * NULL, may be NULL; the caller's, until others are set or the tree is freed.
 */
int cgroup_tree_new(sd_event *event, struct cgroupfs *fs, bool control, char *const *enabled,
		    cgroup_tree_appeared appeared, void *userdata, struct cgroup_tree **ret);
struct cgroup_tree *cgroup_tree_free(struct cgroup_tree *tree);
DEFINE_CLEANUP(struct cgroup_tree *, cgroup_tree_free);
/* Others are enabled from the next scan on. */
void cgroup_tree_set_enabled(struct cgroup_tree *tree, char *const *enabled);
/* Looks at all slices anew. */
int cgroup_tree_scan(struct cgroup_tree *tree);
/* The controller in each slice on the way to a path, now. */
void cgroup_tree_enable_above(struct cgroupfs *fs, const char *path);
/* Watch one that is no slice. */
void cgroup_tree_watch(struct cgroup_tree *tree, const char *path);
/* Watch the directories above a path, as far as they exist. */
int cgroup_tree_watch_above(struct cgroup_tree *tree, const char *path);
/* Where the controller could not be turned on, and why; a list of the tree's own. */
const struct cgroup_tree_entry *cgroup_tree_uncontrolled(const struct cgroup_tree *tree);

#endif
