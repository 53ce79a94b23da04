/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices that pin memory: from what people call them to what pins carry. */
#ifndef PINGUARD_DEVICES_DEVNAME_H
#define PINGUARD_DEVICES_DEVNAME_H

#include <linux/pinguard.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/kernel/kernel.h"

#define DEVNAMES_MAX 64 /* of one device; further ones are left out */

struct devname {
	char name[PINGUARD_DEVICE_NAME_MAX]; /* empty: pins that name no device */
	/*
	 * PINGUARD_KIND_..., of which kind alone; 0 for any. Of a group of devices, which
	 * reach the same memory, a pin of VFIO names one.
	 */
	uint32_t kind;
};

struct devnames {
	size_t n;
	struct devname all[DEVNAMES_MAX];
};

/*
 * The pins of a kind that name no device, by the file with which they are made:
 * "/dev/iommu"; NULL for other kinds.
 */
const char *devname_of_kind(uint32_t kind);

/**
 * devnames_find() - names that the pins of a device may carry
 * @sys: "/sys"
 * @name: an RDMA device ("rxe0"), a PCI function ("0000:00:04.0"), which may have
 *	RDMA devices, a VFIO group or device ("/dev/vfio/12", "/dev/vfio/devices/vfio0"),
 *	a vDPA or VDUSE device ("vdpa0", "/dev/vhost-vdpa-0", "/dev/vduse/disk0"), or the
 *	file by which pins are made that name no device ("/dev/iommu", "/dev/udmabuf")
 *
 * Return: 0, -ENOENT: there is no such device now, or another negative errno
 */
int devnames_find(const char *sys, const char *name, struct devnames *ret);

/**
 * devnames_find_numbers() - the device files by which processes use these devices
 *
 * Verbs of RDMA devices, /dev/iommu and /dev/udmabuf, which many may have open, each
 * for itself; groups and devices of VFIO, vDPA and VDUSE, which are one process's, and
 * its children's.
 *
 * Return: 0, also where there is none; -E2BIG: some are left out; another errno
 */
int devnames_find_numbers(const char *sys, const struct devnames *names,
			  struct device_numbers *ret);

/**
 * devnames_find_kind_numbers() - the same for pins of a kind that name no device
 *
 * Mediated devices of VFIO pin in a container, others by iommufd: of the file of
 * either many may have one open, each for itself.
 *
 * Return: 0, -ENOENT: no file stands for such pins, or it is not there
 */
int devnames_find_kind_numbers(const char *sys, uint32_t kind, struct device_numbers *ret);

#endif
