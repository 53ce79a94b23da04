/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the quotas alone. */
#ifndef PINGUARD_CGROUP_QUOTAS_INTERNAL_H
#define PINGUARD_CGROUP_QUOTAS_INTERNAL_H

#include "daemon/cgroup/quotas.h"

/* A cgroup that files declare something for, be it a policy alone. */
struct declared {
	UT_hash_handle hh; /* by the quota's path */
	struct quota quota;
	struct declaration *declaration; /* as in the quota */
	struct declarations *declarations; /* has it: a reference */
	uid_t owner; /* of the cgroup */
	uint64_t written_bytes; /* into misc.max, from here; UINT64_MAX for nothing */
	unsigned int round; /* of the last look */
};

struct quotas {
	struct cgroupfs *fs;
	struct cgroup_tree *tree;
	int dir_fd;
	struct quota *list;
	/* Those with a high mark, by path; NULL when the list has changed since. */
	struct quota **high;
	size_t n_high;
	struct declarations *declarations; /* NULL before there are any */
	struct declared *declared;
	bool possible; /* the kernel limits pinned memory */
	bool told_full;
	bool raised; /* quotas have come, or their limits: quotas_take_raised() */
	bool keeps; /* what was written before */
	uint64_t dropped_usec; /* when it was looked which cgroups are gone; 0 for never */
	unsigned int dropped_round; /* and in which round */
	unsigned int round; /* of looks at all cgroups */
};

/* Before the list does. */
void quotas_changed(struct quotas *q);
/* Why there is none; the caller frees it, NULL where nobody knows. */
char *quotas_why_not_at(struct quotas *q, int fd, const char *path);

/* quotas-declared.c */
void declared_free(struct quotas *q);
struct declared *declared_find(const struct quotas *q, const char *path);
size_t declared_count(const struct quotas *q); /* at most so many quotas */
/* Quotas of theirs that are in force; prev: NULL starts. */
struct quota *declared_find_quota(const struct quotas *q, const char *path);
struct quota *declared_next(const struct quotas *q, struct quota *prev);
/* One has been set for this path, or cleared. */
void declared_override(struct quotas *q, const char *path);
/* Its limit is not what a file says any more. */
void declared_unmark(struct quotas *q, int fd, const char *path);
/* It is again; no limit without a file. fd: -1 where the cgroup is gone */
int declared_restore(struct quotas *q, int fd, const char *path);

#endif
