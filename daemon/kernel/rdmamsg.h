/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of RDMA netlink: devices, and what processes have made of them. No I/O. */
#ifndef PINGUARD_KERNEL_RDMAMSG_H
#define PINGUARD_KERNEL_RDMAMSG_H

#include <linux/netlink.h>
#include <linux/pinguard.h>
#include <stdbool.h>
#include <stdint.h>

struct rdma_device {
	uint32_t index;
	char name[PINGUARD_DEVICE_NAME_MAX];
};

/* A memory region is part of a protection domain, that of a context. */
enum rdma_table {
	RDMA_REGIONS,
	RDMA_DOMAINS,
	RDMA_CONTEXTS,
};

struct rdma_object {
	uint32_t number; /* within its device and table */
	uint32_t pid; /* of the thread that made it; 0 where that is gone */
	bool has_parent;
	uint32_t parent; /* in the table above */
	/* Of a region. */
	uint64_t bytes;
	bool has_counters; /* in statistics alone: of faults, so that its memory is on demand */
	bool has_iova;
	uint64_t iova; /* where it begins for the device: at the same place in a page */
};

int rdmamsg_type_devices(void);
int rdmamsg_type_table(enum rdma_table table);
int rdmamsg_type_system(void);
int rdmamsg_type_statistics(void); /* their answer is a table of regions */
int rdmamsg_parse_device(const struct nlmsghdr *nlh, struct rdma_device *ret);
/* Each object of a process; those of the kernel itself are left out. */
int rdmamsg_parse_table(const struct nlmsghdr *nlh, enum rdma_table table,
			int (*handler)(const struct rdma_object *object, void *userdata),
			void *userdata);
/* Whether devices are in one network namespace each, and unseen in others; -ENODATA */
int rdmamsg_parse_exclusive(const struct nlmsghdr *nlh, bool *ret);

/*
 * Bytes of the pages that a region takes, at least, where its place in the first
 * is not told; 0 for one that pins nothing, such as all of an address space on
 * demand.
 */
uint64_t rdma_region_pinned(const struct rdma_object *region, uint64_t page_bytes);

#endif
