/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Persistent memory: regions, namespaces and DIMMs, as libndctl knows them. */
#include <errno.h>
#include <ndctl/libndctl.h>
#include <stdio.h>
#include <string.h>

#include "daemon/devices/inventory.h"

#define SECTOR_BYTES 512

/*
 * By the flags that the firmware gave the kernel; asking the DIMM itself takes
 * its device file, and time.
 */
static enum place_health dimm_health(struct ndctl_dimm *dimm)
{
	if (ndctl_dimm_failed_map(dimm) > 0)
		return PLACE_HEALTH_FATAL;
	if (ndctl_dimm_failed_save(dimm) > 0 || ndctl_dimm_failed_arm(dimm) > 0 ||
	    ndctl_dimm_failed_restore(dimm) > 0 || ndctl_dimm_failed_flush(dimm) > 0)
		return PLACE_HEALTH_CRITICAL;
	if (ndctl_dimm_smart_pending(dimm) > 0)
		return PLACE_HEALTH_NON_CRITICAL;
	/* It would tell, and did not. */
	if (ndctl_dimm_has_notifications(dimm) > 0)
		return PLACE_HEALTH_OK;
	return PLACE_HEALTH_UNKNOWN;
}

static int read_dimms(struct inventory *inv, struct ndctl_region *region)
{
	struct ndctl_mapping *mapping;

	ndctl_mapping_foreach(region, mapping) {
		struct ndctl_dimm *dimm = ndctl_mapping_get_dimm(mapping);
		struct place_dimm d = {};
		unsigned int serial;
		int r;

		if (!dimm)
			continue;
		serial = ndctl_dimm_get_serial(dimm);
		snprintf(d.name, sizeof(d.name), "%s", ndctl_dimm_get_devname(dimm));
		d.handle = ndctl_dimm_get_handle(dimm);
		if (serial != UINT32_MAX)
			snprintf(d.serial, sizeof(d.serial), "0x%08x", serial);
		d.health = dimm_health(dimm);
		r = inventory_add_dimm(inv, ndctl_region_get_devname(region), &d);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_badblocks(struct inventory *inv, struct ndctl_region *region, uint64_t start)
{
	const char *name = ndctl_region_get_devname(region);
	struct badblock *bb;
	int r;

	ndctl_region_badblock_foreach(region, bb) {
		r = inventory_add_bad(inv, name, start + bb->offset * SECTOR_BYTES,
				      (uint64_t)bb->len * SECTOR_BYTES);
		if (r < 0)
			return r;
	}
	return 0;
}

static void set_data(struct inventory_layout *layout, uint64_t start, uint64_t size)
{
	if (size == 0 || start > TARGET_PHYS_MAX || size - 1 > TARGET_PHYS_MAX - start)
		return;
	layout->mapped = true;
	layout->data = (struct phys_range){ start, start + size - 1 };
}

static int read_layout(struct inventory *inv, struct ndctl_namespace *ns)
{
	struct ndctl_pfn *pfn = ndctl_namespace_get_pfn(ns);
	struct ndctl_dax *dax = ndctl_namespace_get_dax(ns);
	struct ndctl_btt *btt = ndctl_namespace_get_btt(ns);
	struct inventory_layout layout = {};

	if (dax) {
		set_data(&layout, ndctl_dax_get_resource(dax), ndctl_dax_get_size(dax));
	} else if (pfn) {
		set_data(&layout, ndctl_pfn_get_resource(pfn), ndctl_pfn_get_size(pfn));
		layout.linear = true;
		layout.block_device = ndctl_pfn_get_block_device(pfn);
	} else if (btt) {
		layout.block_device = ndctl_btt_get_block_device(btt);
	} else {
		layout.linear = true;
		layout.block_device = ndctl_namespace_get_block_device(ns);
	}
	if (layout.block_device && !layout.block_device[0])
		layout.block_device = NULL;
	return inventory_set_layout(inv, ndctl_namespace_get_devname(ns), &layout);
}

static int read_namespace(struct inventory *inv, struct ndctl_namespace *ns)
{
	int r = inventory_add(inv, ndctl_namespace_get_devname(ns),
			      ndctl_namespace_get_resource(ns), ndctl_namespace_get_size(ns));

	if (r < 0 || ndctl_namespace_get_size(ns) == 0)
		return r;
	return read_layout(inv, ns);
}

static int read_region(struct inventory *inv, struct ndctl_region *region)
{
	const unsigned long long start = ndctl_region_get_resource(region);
	const char *name = ndctl_region_get_devname(region);
	const bool enabled = ndctl_region_is_enabled(region) > 0;
	struct ndctl_namespace *ns;
	int r;

	r = inventory_add(inv, name, start, ndctl_region_get_size(region));
	if (r >= 0)
		r = inventory_set_region(inv, name, ndctl_region_get_numa_node(region), enabled);
	if (r >= 0)
		r = read_dimms(inv, region);
	/* A region without a driver does not tell its bad blocks. */
	if (r >= 0 && enabled)
		r = read_badblocks(inv, region, start);
	ndctl_namespace_foreach(region, ns) {
		if (r < 0)
			return r;
		r = read_namespace(inv, ns);
	}
	return r;
}

static int read_bus(struct inventory *inv, struct ndctl_bus *bus)
{
	struct ndctl_region *region;
	int r = 0;

	ndctl_region_foreach(bus, region) {
		r = read_region(inv, region);
		if (r < 0)
			return r;
	}
	return r;
}

int inventory_read_nd(struct inventory *inv)
{
	struct ndctl_ctx *ctx;
	struct ndctl_bus *bus;
	int r;

	/*
	 * Else it waits up to 5 s, again and again, until udevd has nothing to do. That
	 * matters to those who want device files; 0 would be for ever.
	 */
	if (setenv("NDCTL_TIMEOUT", "1", false) < 0)
		return -errno;
	r = ndctl_new(&ctx);
	if (r < 0)
		return r;
	/* Without any bus, which is how most machines are, there is nothing to read. */
	ndctl_bus_foreach(ctx, bus) {
		r = read_bus(inv, bus);
		if (r < 0)
			break;
	}
	ndctl_unref(ctx);
	return r < 0 ? r : 0;
}
