/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of cgroupfs alone. */
#ifndef PINGUARD_CGROUP_CGROUPFS_INTERNAL_H
#define PINGUARD_CGROUP_CGROUPFS_INTERNAL_H

#include "daemon/cgroup/cgroupfs.h"

/* What all pins count for. */
uint64_t cgroupfs_root_bytes(const struct cgroupfs *fs);

#endif
