/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may pin device memory, and how memory counts that is pinned several times:
 * kept here for each cgroup, enforced by the kernel.
 */
#ifndef PINGUARD_CGROUP_POLICIES_H
#define PINGUARD_CGROUP_POLICIES_H

#include "daemon/base/base.h"
#include "daemon/cgroup/declarations.h"
#include "daemon/cgroup/quotas.h"
#include "daemon/cgroup/tree.h"
#include "daemon/kernel/kernel.h"

#define POLICIES_FILE "policies.json"
#define POLICIES_MAX  4096

struct policies;

struct policy_entry {
	struct policy_entry *prev, *next;
	char *path; /* raw bytes */
	uint32_t policy; /* PINGUARD_POLICY_* */
	uint32_t count; /* PINGUARD_COUNT_* */
	bool runtime; /* not in the file */
};

enum policy_state {
	POLICY_APPLIED,
	POLICY_PENDING, /* no such cgroup now */
	POLICY_FAILED,
};

struct policy_status {
	enum policy_state state;
	uint64_t cgroup_id; /* 0 for none */
	/* What the kernel has; allow, and each, where it has none. */
	uint32_t own, effective;
	uint32_t own_count, effective_count;
	char *reason; /* the caller frees it; NULL for none */
};

/* What they stand on, and outlives them. */
struct policies_config {
	struct cgroupfs *fs;
	struct quotas *quotas; /* says why a controller is off */
	struct genl *genl; /* NULL for none */
	const char *state_dir; /* NULL for none: policies are of the runtime then */
};

/* A damaged file is set aside and logged. */
int policies_new(const struct policies_config *config, struct policies **ret);
struct policies *policies_free(struct policies *p);
DEFINE_CLEANUP(struct policies *, policies_free);
void policies_set_tree(struct policies *p, struct cgroup_tree *tree); /* may be NULL */

/* Why none can be set; NULL where they can. */
const char *policies_unsupported(const struct policies *p);
const struct policy_entry *policies_list(const struct policies *p);
const struct policy_entry *policies_find(const struct policies *p, const char *path);
/* entry: NULL for a cgroup without one */
void policies_status(struct policies *p, const char *path, const struct policy_entry *entry,
		     struct policy_status *ret);

/*
 * policy, count: 0 to leave it as it is, and not both.
 * -ENOENT: no such cgroup; -EOPNOTSUPP: not possible, *ret_reason (the caller
 * frees it) says why; -E2BIG: too many; -EFBIG: their names are too long for the file
 */
int policies_set(struct policies *p, const char *path, uint32_t policy, uint32_t count,
		 bool runtime, char **ret_reason);
/* What files declare takes its place, with nothing in between. -ENOENT: there is none */
int policies_clear(struct policies *p, const char *path);
/*
 * A cgroup gets the policy that files declare for it (d: NULL for none), or gives back
 * what it had of them. What somebody else has set is left alone. Says what fails.
 */
void policies_look(struct policies *p, int fd, const char *path, struct declaration *d);
/* Put the stored ones into the kernel: all, or those at and below a path that appeared. */
void policies_apply(struct policies *p, const char *path);

#endif
