/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the quotas alone. */
#ifndef PINGUARD_CGROUP_QUOTAS_INTERNAL_H
#define PINGUARD_CGROUP_QUOTAS_INTERNAL_H

#include "daemon/cgroup/quotas.h"

struct quotas {
	struct cgroupfs *fs;
	struct cgroup_tree *tree;
	int dir_fd;
	struct quota *list;
	/* Those with a high mark, by path; NULL when the list has changed since. */
	struct quota **high;
	size_t n_high;
};

/* Before the list does. */
void quotas_changed(struct quotas *q);

#endif
