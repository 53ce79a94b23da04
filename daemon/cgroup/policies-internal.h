/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the policies alone. */
#ifndef PINGUARD_CGROUP_POLICIES_INTERNAL_H
#define PINGUARD_CGROUP_POLICIES_INTERNAL_H

#include "daemon/cgroup/policies.h"

struct policies {
	struct cgroupfs *fs;
	struct quotas *quotas;
	struct genl *genl;
	struct cgroup_tree *tree;
	int dir_fd;
	struct policy_entry *list;
};

/* allow, and each, where the kernel knows of none */
struct policy_info policies_of_kernel(struct policies *p, const char *path);
/* -EOPNOTSUPP: not possible, *ret_reason (the caller frees it) says why */
int policies_write(struct policies *p, const char *path, uint32_t policy, uint32_t count,
		   char **ret_reason);
/* One that was set is not stored any more; what the kernel has stays. 0: none was, 1 */
int policies_forget(struct policies *p, const char *path);

#endif
