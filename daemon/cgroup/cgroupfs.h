/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroup2 as the service reads it: ids to paths, names to paths, misc files. */
#ifndef PINGUARD_CGROUP_CGROUPFS_H
#define PINGUARD_CGROUP_CGROUPFS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/model/model.h"
#include "lib/macros.h"

#define CGROUP_ROOT_ID	 1 /* kernfs numbers its root so */
#define CGROUP_RESOURCE	 "pinned"
#define CGROUP_WALK_MAX	 20000 /* directories that one walk looks at */
/* And of a user's subtree, apart from those: nobody can hide the others'. */
#define CGROUP_WALK_USER_MAX 2000
#define CGROUP_DEPTH_MAX 64

struct cgroupfs;

/* Of one cgroup, as the misc controller has it. */
struct cgroup_misc {
	bool present; /* the controller is on here and knows the resource */
	uint64_t current_bytes;
	uint64_t max_bytes; /* UINT64_MAX for none, and in the root */
	uint64_t peak_bytes; /* UINT64_MAX where the kernel does not say */
	uint64_t denied;
};

/* Text of a misc file: the number of a key; -ENODATA where it has none. */
int cgroup_misc_parse(const char *text, const char *key, uint64_t *ret);

/*
 * mount: NULL to look for it. -ENOENT: there is no cgroup2, *ret_reason says so.
 */
int cgroupfs_new(const char *mount, struct registry *registry, struct cgroupfs **ret,
		 char **ret_reason);
struct cgroupfs *cgroupfs_free(struct cgroupfs *fs);
DEFINE_CLEANUP(struct cgroupfs *, cgroupfs_free);
const char *cgroupfs_mount(const struct cgroupfs *fs);

/* Opens the directory of a path below the root; no link is followed. */
int cgroupfs_open(struct cgroupfs *fs, const char *path);
int cgroupfs_id(int fd, uint64_t *ret_id);
/* One of its files, NUL-terminated; -EFBIG where it does not fit. */
int cgroupfs_read(int fd, const char *file, char *buf, size_t size);
int cgroupfs_write(int fd, const char *file, const char *text);
/* Of what counts in place of the controller, where something does. fs: NULL for its files */
int cgroupfs_read_misc(struct cgroupfs *fs, int fd, struct cgroup_misc *ret);
/* UINT64_MAX for no limit */
int cgroupfs_write_max(struct cgroupfs *fs, int fd, uint64_t max_bytes);
/* The root, or what systemd calls a slice: it may hold units. Of a path or a name. */
bool cgroup_is_slice(const char *path);
bool cgroupfs_is_delegated(int fd, uid_t *ret_owner);

/*
 * What counts and limits pinned memory in place of the misc controller, by the id of a
 * cgroup; the root is not asked for. read() has to fill in all but present.
 */
struct cgroup_counter {
	void (*read)(uint64_t id, struct cgroup_misc *ret, void *userdata);
	int (*set_max)(uint64_t id, uint64_t max_bytes, void *userdata); /* UINT64_MAX for none */
	unsigned int depth_max; /* levels below the root that can have a limit */
	void *userdata;
};

/* A copy is kept; NULL: the controller counts. */
void cgroupfs_set_counter(struct cgroupfs *fs, const struct cgroup_counter *counter);
const struct cgroup_counter *cgroupfs_counter(const struct cgroupfs *fs); /* NULL: the controller */

/*
 * What a CGROUP argument names, as a path, which need not exist: -EINVAL with a
 * constant *ret_reason. For a unit -ENOENT where it is nowhere, -E2BIG where it was
 * not found and there are too many to look at all.
 */
int cgroupfs_name_to_path(struct cgroupfs *fs, const char *name, char **ret_path,
			  const char **ret_reason);

/* Gives the node of an id its path and ancestors; a removed one says so. */
int cgroupfs_resolve(struct cgroupfs *fs, uint64_t id, struct cgroup_node **ret);
/* The same for a path that exists. */
int cgroupfs_resolve_path(struct cgroupfs *fs, const char *path, struct cgroup_node **ret);
/* Looks again, if some time has passed, whether it still exists and who owns it. */
void cgroupfs_check(struct cgroupfs *fs, struct cgroup_node *node, uint64_t now_usec);
/* uid, where it owns the node's directory or one above it; else (uid_t)-1. */
uid_t cgroupfs_delegate(struct cgroupfs *fs, struct cgroup_node *node, uid_t uid,
			uint64_t now_usec);
/* The same, as it was seen last: nothing is looked at. */
uid_t cgroupfs_delegate_seen(const struct cgroup_node *node, uid_t uid);
/* The same at this very moment, for the directories strictly above a path. */
uid_t cgroupfs_delegate_above(struct cgroupfs *fs, const char *path, uid_t uid);

/*
 * Every cgroup: units of the system, which only slices are above, then what is
 * in them, each level by level, until the walker returns other than 0; 1 from it
 * leaves out what is below. Of a directory that does not belong to root, and what
 * is below, no more than CGROUP_WALK_USER_MAX are looked at, and of all others no
 * more than CGROUP_WALK_MAX. -E2BIG at the end where there were more of either.
 */
typedef int (*cgroup_walker)(int fd, const char *path, void *userdata);
int cgroupfs_walk(struct cgroupfs *fs, cgroup_walker walker, void *userdata);
/* The same of one cgroup and what is in it. */
int cgroupfs_walk_in(struct cgroupfs *fs, const char *path, cgroup_walker walker, void *userdata);

/* The same, one directory at each step: of what comes and goes meanwhile it may see either. */
struct cgroup_walk;

int cgroup_walk_new(struct cgroupfs *fs, cgroup_walker walker, void *userdata,
		    struct cgroup_walk **ret);
struct cgroup_walk *cgroup_walk_free(struct cgroup_walk *walk);
DEFINE_CLEANUP(struct cgroup_walk *, cgroup_walk_free);
/* False once it is over, and cgroup_walk_result() says what cgroupfs_walk() does. */
bool cgroup_walk_step(struct cgroup_walk *walk);
int cgroup_walk_result(const struct cgroup_walk *walk);

#endif
