/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Regions of persistent memory and their namespaces, as libndctl knows them. */
#include <errno.h>
#include <ndctl/libndctl.h>

#include "daemon/target.h"

static int read_region(struct inventory *inv, struct ndctl_region *region)
{
	struct ndctl_namespace *ns;
	int r;

	r = inventory_add(inv, ndctl_region_get_devname(region), ndctl_region_get_resource(region),
			  ndctl_region_get_size(region));
	ndctl_namespace_foreach(region, ns) {
		if (r < 0)
			return r;
		r = inventory_add(inv, ndctl_namespace_get_devname(ns),
				  ndctl_namespace_get_resource(ns), ndctl_namespace_get_size(ns));
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

	r = ndctl_new(&ctx);
	if (r < 0)
		return r;
	ndctl_bus_foreach(ctx, bus) {
		r = read_bus(inv, bus);
		if (r < 0)
			break;
	}
	ndctl_unref(ctx);
	return r < 0 ? r : 0;
}
