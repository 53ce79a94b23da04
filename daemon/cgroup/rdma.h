/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rdma controller: how many objects, each memory region one of them, a device has for a cgroup. */
#ifndef PINGUARD_CGROUP_RDMA_H
#define PINGUARD_CGROUP_RDMA_H

#include <stdint.h>

#define CGROUP_RDMA_DEVICES_MAX 64 /* of one cgroup; others are left out */
#define CGROUP_RDMA_NAME_MAX	64
#define CGROUP_RDMA_FILE_MAX	16384

struct cgroup_rdma {
	char device[CGROUP_RDMA_NAME_MAX];
	uint64_t max, current; /* max: UINT64_MAX for none */
};

/*
 * A line of rdma.max or rdma.current, "rxe0 hca_handle=2 hca_object=max": where the next
 * one begins, NULL at the end. A line without objects has an empty device.
 */
const char *cgroup_rdma_parse(const char *text, char device[static CGROUP_RDMA_NAME_MAX],
			      uint64_t *ret_objects);
/*
 * Those with a limit of objects. fd: of the cgroup's directory. Their number; 0 where
 * the controller is off, or in the root; a negative errno
 */
int cgroup_rdma_read(int fd, struct cgroup_rdma ret[static CGROUP_RDMA_DEVICES_MAX]);

#endif
