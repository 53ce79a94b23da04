/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The devices that are known: what sources add, and what has gone. */
#include <errno.h>
#include <string.h>

#include "daemon/devices/inventory-internal.h"

static void device_done(struct device *dev)
{
	free(dev->ranges);
	free(dev->dimms);
	free(dev->bad);
	free(dev->numbers);
}

void device_table_done(struct device_table *d)
{
	size_t i;

	for (i = 0; i < d->n; i++)
		device_done(&d->all[i]);
	free(d->all);
	*d = (struct device_table){};
}

struct device *device_table_find(struct device_table *d, const char *name)
{
	size_t i;

	/* From the end: what is said of one device comes one after another. */
	for (i = d->n; i > 0; i--)
		if (strcmp(d->all[i - 1].name, name) == 0)
			return &d->all[i - 1];
	return NULL;
}

static int add_device(struct device_table *d, const char *name, struct device **ret)
{
	struct device *all;
	size_t size;

	if (!inventory_name_ok(name))
		return -ENAMETOOLONG;
	if (d->n >= INVENTORY_MAX)
		return -E2BIG;
	if (d->n == d->size) {
		size = d->size ? d->size * 2 : 16;
		all = reallocarray(d->all, size, sizeof(*all));
		if (!all)
			return -ENOMEM;
		d->all = all;
		d->size = size;
	}
	*ret = &d->all[d->n++];
	**ret = (struct device){ .node = -1 };
	strcpy((*ret)->name, name);
	return 0;
}

static int add_range(struct phys_range **ranges, size_t *n, uint64_t start, uint64_t size)
{
	struct phys_range *all = reallocarray(*ranges, *n + 1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	all[(*n)++] = (struct phys_range){ start, start + size - 1 };
	*ranges = all;
	return 0;
}

static bool is_memory(uint64_t start, uint64_t size)
{
	return size > 0 && start <= TARGET_PHYS_MAX && size - 1 <= TARGET_PHYS_MAX - start;
}

int inventory_add(struct inventory *inv, const char *name, uint64_t start, uint64_t size)
{
	struct device *dev = device_table_find(&inv->fresh, name);
	int r;

	if (!dev) {
		r = add_device(&inv->fresh, name, &dev);
		if (r < 0)
			return r;
	}
	if (!is_memory(start, size))
		return 0;
	if (dev->n_ranges >= INVENTORY_RANGES_MAX)
		return -E2BIG;
	return add_range(&dev->ranges, &dev->n_ranges, start, size);
}

int inventory_set_layout(struct inventory *inv, const char *name,
			 const struct inventory_layout *layout)
{
	struct device *dev = device_table_find(&inv->fresh, name);

	if (!dev)
		return -ENOENT;
	dev->has_layout = true;
	dev->mapped = layout->mapped;
	dev->linear = layout->linear;
	dev->data = layout->data;
	if (layout->block_device && inventory_name_ok(layout->block_device))
		strcpy(dev->block_device, layout->block_device);
	return 0;
}

int inventory_set_region(struct inventory *inv, const char *name, int node, bool bad_known)
{
	struct device *dev = device_table_find(&inv->fresh, name);

	if (!dev)
		return -ENOENT;
	dev->node = node;
	dev->bad_known = bad_known;
	return 0;
}

int inventory_add_dimm(struct inventory *inv, const char *region, const struct place_dimm *dimm)
{
	struct device *dev = device_table_find(&inv->fresh, region);
	struct place_dimm *dimms;

	if (!dev)
		return -ENOENT;
	if (dev->n_dimms == PLACE_DIMMS_MAX || !inventory_name_ok(dimm->name))
		return 0;
	dimms = reallocarray(dev->dimms, dev->n_dimms + 1, sizeof(*dimms));
	if (!dimms)
		return -ENOMEM;
	dimms[dev->n_dimms++] = *dimm;
	dev->dimms = dimms;
	return 0;
}

int inventory_add_bad(struct inventory *inv, const char *region, uint64_t start, uint64_t size)
{
	struct device *dev = device_table_find(&inv->fresh, region);

	if (!dev)
		return -ENOENT;
	if (!is_memory(start, size) || dev->n_bad == INVENTORY_BAD_MAX)
		return 0;
	return add_range(&dev->bad, &dev->n_bad, start, size);
}

static void forget_block_device(struct inventory *inv, const char *name)
{
	size_t i;

	for (i = 0; i < inv->known.n; i++) {
		if (strcmp(inv->known.all[i].block_device, name) != 0)
			continue;
		inv->known.all[i].block_device[0] = '\0';
		inv->current = false;
	}
}

void inventory_forget(struct inventory *inv, const char *subsystem, const char *name)
{
	struct device *dev;
	uint64_t block;

	if (strcmp(subsystem, "block") == 0) {
		forget_block_device(inv, name);
		return;
	}
	if (strcmp(subsystem, "memory") == 0) {
		if (inventory_parse_numbered(name, "memory", &block))
			block_table_remove(&inv->blocks, block);
		return;
	}
	/* Devices of libnvdimm that stand for a namespace's mode have names as of DAX devices. */
	if ((strcmp(subsystem, "nd") == 0) == (strncmp(name, "dax", 3) == 0))
		return;
	dev = device_table_find(&inv->known, name);
	if (!dev)
		return;
	device_done(dev);
	memmove(dev, dev + 1, (&inv->known.all[--inv->known.n] - dev) * sizeof(*dev));
}
