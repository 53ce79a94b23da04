/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The door of daemon/cgroup: cgroup2 as the service reads it, where the misc
 * controller is on, quotas and policies, on disk and in the kernel. It writes
 * to cgroupfs and the state directory; it asks nobody to release anything.
 */
#ifndef PINGUARD_CGROUP_DOOR_H
#define PINGUARD_CGROUP_DOOR_H

#include "daemon/cgroup/cgroupfs.h"
#include "daemon/cgroup/cgroups.h"
#include "daemon/cgroup/declarations.h"
#include "daemon/cgroup/policies.h"
#include "daemon/cgroup/quotas.h"
#include "daemon/cgroup/rdma.h"
#include "daemon/cgroup/tree.h"

#endif
