/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DAX devices, as sysfs tells of them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "daemon/devices/inventory-internal.h"

/* 1 where there are mappings: what a device is made of, if that is told piece by piece. */
static int read_mappings(struct inventory *inv, int dev_fd, const char *name)
{
	unsigned int i;
	int r;

	for (i = 0; i < INVENTORY_RANGES_MAX; i++) {
		_cleanup_(closep) int fd = -1;
		uint64_t start, end;
		char mapping[32];

		snprintf(mapping, sizeof(mapping), "mapping%u", i);
		fd = openat(dev_fd, mapping, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			break;
		if (inventory_read_number(fd, "start", 0, &start) < 0 ||
		    inventory_read_number(fd, "end", 0, &end) < 0 || end < start)
			continue;
		r = inventory_add(inv, name, start, end - start + 1);
		if (r < 0)
			return r;
	}
	return i > 0;
}

static int read_dax(int bus_fd, const char *name, void *userdata)
{
	_cleanup_(closep) int fd = openat(bus_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t start = UINT64_MAX, size = 0;
	struct inventory *inv = userdata;
	int r;

	if (fd < 0) /* it has gone */
		return 0;
	r = read_mappings(inv, fd, name);
	if (r != 0)
		return r < 0 ? r : 0;
	if (inventory_read_number(fd, "resource", 0, &start) < 0 ||
	    inventory_read_number(fd, "size", 0, &size) < 0)
		size = 0;
	return inventory_add(inv, name, start, size);
}

int inventory_read_dax(struct inventory *inv)
{
	int fd = inventory_open_sys(inv, "/bus/dax/devices");

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	return inventory_each(fd, read_dax, inv);
}
