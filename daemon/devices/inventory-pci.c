/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers of PCI devices: whose they are. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "daemon/devices/inventory-internal.h"

#define BARS	     7 /* six, and the ROM; what follows are windows of a bridge */
#define RESOURCE_MEM 0x200

struct bar_search {
	uint64_t phys;
	char *ret;
	size_t size;
};

static bool bars_cover(const char *text, uint64_t phys)
{
	uint64_t first, last, flags;
	unsigned int i;
	int len;

	for (i = 0; i < BARS; i++) {
		if (sscanf(text, "%" SCNx64 " %" SCNx64 " %" SCNx64 " %n", &first, &last, &flags,
			   &len) != 3)
			return false;
		if (flags & RESOURCE_MEM && last && phys >= first && phys <= last)
			return true;
		text += len;
	}
	return false;
}

static int check_bars(int dir_fd, const char *name, void *userdata)
{
	struct bar_search *search = userdata;
	_cleanup_(closep) int fd = -1;
	char path[300], text[2048];
	ssize_t n;

	snprintf(path, sizeof(path), "%.255s/resource", name);
	fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return 0;
	text[n] = '\0';
	if (!bars_cover(text, search->phys) || !inventory_name_ok(name))
		return 0;
	snprintf(search->ret, search->size, "%s", name);
	return 1;
}

bool inventory_find_bar(struct inventory *inv, uint64_t phys, char *ret, size_t size)
{
	struct bar_search search = { .phys = phys, .ret = ret, .size = size };
	int fd = inventory_open_sys(inv, "/bus/pci/devices");

	return fd >= 0 && inventory_each(fd, check_bars, &search) > 0;
}
