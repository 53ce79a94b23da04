/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of RDMA netlink: devices and memory regions. No I/O. */
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

struct rdma_mr {
	uint32_t number; /* within its device */
	uint32_t pid; /* 0 where its process is gone */
	uint64_t bytes;
};

int rdmamsg_type_devices(void);
int rdmamsg_type_mrs(void);
int rdmamsg_parse_device(const struct nlmsghdr *nlh, struct rdma_device *ret);
/* Each memory region of a process; those of the kernel itself are left out. */
int rdmamsg_parse_mrs(const struct nlmsghdr *nlh,
		      int (*handler)(const struct rdma_mr *mr, void *userdata), void *userdata);

#endif
