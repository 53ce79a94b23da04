/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ndctl disable-namespace, ndctl disable-region and daxctl disable-device do. */
#include <daxctl/libdaxctl.h>
#include <errno.h>
#include <fcntl.h>
#include <ndctl/libndctl.h>
#include <stdio.h>
#include <string.h>

#include "client/parts/remove.h"
#include "lib/macros.h"

DEFINE_CLEANUP(struct ndctl_ctx *, ndctl_unref);
DEFINE_CLEANUP(struct daxctl_ctx *, daxctl_unref);

/* Of each bus, root's alone: whoever may write it may unbind its devices, too. */
static int check_rights(const char *path)
{
	return access(path, W_OK) < 0 ? -errno : 0;
}

/* The kernel cannot take away memory that it uses itself: what it has is lost until a reboot. */
static int check_dax_device(struct daxctl_dev *dev, char *text)
{
	_cleanup_(dax_memory_done) struct dax_memory memory = {};
	const char *name = daxctl_dev_get_devname(dev);
	char online[REMOVAL_TEXT_MAX / 3];
	int r = dax_memory_read("/sys", name, &memory, text);

	if (r != 0)
		return MIN(r, 0);
	if (memory.n_online == 0)
		return 0;
	dax_memory_format(&memory, true, online, sizeof(online));
	snprintf(text, REMOVAL_TEXT_MAX,
		 "%s is in use as system RAM, and %zu of its %zu memory blocks are online (%s); "
		 "first: pinctl drain %s --offline",
		 name, memory.n_online, memory.n, online, name);
	return -EBUSY;
}

static int disable_dax(const char *target, bool check, char *text)
{
	_cleanup_(daxctl_unrefp) struct daxctl_ctx *ctx = NULL;
	struct daxctl_region *region;
	struct daxctl_dev *dev;
	int r;

	r = daxctl_new(&ctx);
	if (r < 0)
		return r;
	daxctl_region_foreach (ctx, region)
		daxctl_dev_foreach (region, dev) {
			if (strcmp(daxctl_dev_get_devname(dev), target) != 0)
				continue;
			if (!daxctl_dev_is_enabled(dev))
				return 1;
			r = check_dax_device(dev, text);
			if (r == 0)
				r = check ? check_rights("/sys/bus/dax/drivers_probe") :
					    daxctl_dev_disable(dev);
			return r;
		}
	snprintf(text, REMOVAL_TEXT_MAX, "there is no such DAX device; see daxctl list");
	return -ENODEV;
}

static const char *block_device(struct ndctl_namespace *ndns)
{
	struct ndctl_pfn *pfn = ndctl_namespace_get_pfn(ndns);
	struct ndctl_btt *btt = ndctl_namespace_get_btt(ndns);

	if (pfn && ndctl_pfn_is_enabled(pfn))
		return ndctl_pfn_get_block_device(pfn);
	if (btt && ndctl_btt_is_enabled(btt))
		return ndctl_btt_get_block_device(btt);
	return ndctl_namespace_is_enabled(ndns) ? ndctl_namespace_get_block_device(ndns) : NULL;
}

/* A file system that is mounted has the device for itself. */
static int check_mounted(struct ndctl_namespace *ndns, char *text)
{
	const char *name = block_device(ndns);
	_cleanup_(closep) int fd = -1;
	char path[64];

	if (!name || !*name)
		return 0;
	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDWR | O_EXCL | O_CLOEXEC);
	if (fd >= 0 || errno != EBUSY)
		return 0;
	snprintf(text, REMOVAL_TEXT_MAX, "%s is in use, such as by a file system; unmount it first",
		 path);
	return -EBUSY;
}

static int check_namespace(struct ndctl_namespace *ndns, char *text)
{
	struct ndctl_dax *dax = ndctl_namespace_get_dax(ndns);
	struct daxctl_region *region = dax ? ndctl_dax_get_daxctl_region(dax) : NULL;
	struct daxctl_dev *dev;
	int r = 0;

	if (region)
		daxctl_dev_foreach (region, dev)
			if (r == 0)
				r = check_dax_device(dev, text);
	return r < 0 ? r : check_mounted(ndns, text);
}

/* 1 where it was not enabled. */
static int disable_namespace(struct ndctl_namespace *ndns, bool check, char *text)
{
	int r;

	if (!ndctl_namespace_is_active(ndns))
		return 1;
	r = check_namespace(ndns, text);
	if (r < 0 || check)
		return r;
	r = ndctl_namespace_disable_safe(ndns);
	if (r < 0)
		return r;
	return ndctl_namespace_is_active(ndns) ? -EBUSY : 0;
}

static int disable_region(struct ndctl_region *region, bool check, char *text)
{
	struct ndctl_namespace *ndns;
	int r;

	if (!ndctl_region_is_enabled(region))
		return 1;
	ndctl_namespace_foreach (region, ndns) {
		r = disable_namespace(ndns, check, text);
		if (r < 0)
			return r;
	}
	return check ? 0 : ndctl_region_disable_invalidate(region);
}

/* Finds the region or namespace; -ENODEV. */
static int find_and_disable(struct ndctl_ctx *ctx, const char *target, bool check, char *text)
{
	struct ndctl_namespace *ndns;
	struct ndctl_region *region;
	struct ndctl_bus *bus;

	ndctl_bus_foreach (ctx, bus)
		ndctl_region_foreach (bus, region) {
			if (!strcmp(ndctl_region_get_devname(region), target))
				return disable_region(region, check, text);
			ndctl_namespace_foreach (region, ndns)
				if (!strcmp(ndctl_namespace_get_devname(ndns), target))
					return disable_namespace(ndns, check, text);
		}
	snprintf(text, REMOVAL_TEXT_MAX, "there is none of this name; see ndctl list -R -N");
	return -ENODEV;
}

int removal_disable(const char *target, bool check, char text[static REMOVAL_TEXT_MAX])
{
	_cleanup_(ndctl_unrefp) struct ndctl_ctx *ctx = NULL;
	int r;

	if (!strncmp(target, "dax", strlen("dax")))
		return disable_dax(target, check, text);
	r = ndctl_new(&ctx);
	if (r < 0)
		return r;
	r = find_and_disable(ctx, target, check, text);
	return r == 0 && check ? check_rights("/sys/bus/nd/drivers_probe") : r;
}
