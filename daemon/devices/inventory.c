/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon/base/clock.h"
#include "daemon/devices/inventory-internal.h"

/* Where nobody tells of changes: so long one answer is made from one look. */
#define UNTOLD_USEC (10 * 1000ULL)

static void device_done(struct device *dev)
{
	free(dev->ranges);
	free(dev->dimms);
	free(dev->bad);
}

static void devices_done(struct devices *d)
{
	size_t i;

	for (i = 0; i < d->n; i++)
		device_done(&d->all[i]);
	free(d->all);
	*d = (struct devices){};
}

static struct device *find(struct devices *d, const char *name)
{
	size_t i;

	/* From the end: what is said of one device comes one after another. */
	for (i = d->n; i > 0; i--)
		if (strcmp(d->all[i - 1].name, name) == 0)
			return &d->all[i - 1];
	return NULL;
}

bool inventory_name_ok(const char *name)
{
	size_t i;

	for (i = 0; name[i]; i++)
		if (name[i] <= ' ' || name[i] > '~' || name[i] == '\\' || name[i] == '/')
			return false;
	return i > 0 && i < PLACE_NAME_MAX;
}

static int add_device(struct devices *d, const char *name, struct device **ret)
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
	struct device *dev = find(&inv->fresh, name);
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
	struct device *dev = find(&inv->fresh, name);

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
	struct device *dev = find(&inv->fresh, name);

	if (!dev)
		return -ENOENT;
	dev->node = node;
	dev->bad_known = bad_known;
	return 0;
}

int inventory_add_dimm(struct inventory *inv, const char *region, const struct place_dimm *dimm)
{
	struct device *dev = find(&inv->fresh, region);
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
	struct device *dev = find(&inv->fresh, region);

	if (!dev)
		return -ENOENT;
	if (!is_memory(start, size) || dev->n_bad == INVENTORY_BAD_MAX)
		return 0;
	return add_range(&dev->bad, &dev->n_bad, start, size);
}

bool inventory_is_older(const struct inventory *inv, uint64_t usec)
{
	return clock_usec(CLOCK_MONOTONIC) - inv->read_usec > usec;
}

int inventory_refresh(struct inventory *inv)
{
	struct block_table blocks = {};
	int r;

	/* What changes while it is read is told again, and read again. */
	watch_drain(inv->watch);
	inv->current = inv->watch;
	r = inventory_read_blocks(inv, &blocks);
	if (r >= 0)
		r = inventory_read_dax(inv);
	if (r >= 0 && inv->source)
		r = inv->source(inv);
	if (r < 0) {
		inv->current = false;
		block_table_done(&blocks);
		devices_done(&inv->fresh);
		return r;
	}
	block_table_done(&inv->blocks);
	inv->blocks = blocks;
	devices_done(&inv->known);
	inv->known = inv->fresh;
	inv->fresh = (struct devices){};
	inv->read_usec = clock_usec(CLOCK_MONOTONIC);
	return 0;
}

int inventory_update(struct inventory *inv)
{
	watch_drain(inv->watch);
	if (inv->current || (!inv->watch && inv->read_usec && !inventory_is_older(inv, UNTOLD_USEC)))
		return 0;
	return inventory_refresh(inv);
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
	dev = find(&inv->known, name);
	if (!dev)
		return;
	device_done(dev);
	memmove(dev, dev + 1, (&inv->known.all[--inv->known.n] - dev) * sizeof(*dev));
}

int inventory_new(const char *sys, inventory_source source, struct inventory **ret)
{
	struct inventory *inv = calloc(1, sizeof(*inv));

	if (!inv)
		return -ENOMEM;
	inv->sys = sys;
	inv->source = source;
	inv->iomem_fd = -1;
	inv->kpageflags_fd = -1;
	*ret = inv;
	return 0;
}

void inventory_set_proc(struct inventory *inv, int iomem_fd, int kpageflags_fd, bool conclude)
{
	inv->iomem_fd = iomem_fd;
	inv->kpageflags_fd = kpageflags_fd;
	inv->conclude = conclude;
}

struct inventory *inventory_free(struct inventory *inv)
{
	if (!inv)
		return NULL;
	watch_free(inv->watch);
	devices_done(&inv->known);
	devices_done(&inv->fresh);
	block_table_done(&inv->blocks);
	free(inv);
	return NULL;
}

static int resolve_block(struct inventory *inv, uint64_t block, bool at_rest,
			 struct phys_range *ret)
{
	const uint64_t bytes = inv->blocks.block_bytes;

	if (!bytes || block > TARGET_PHYS_MAX / bytes)
		return -ENOENT;
	/* Meanwhile one that is not there is taken for one without pins. */
	if (at_rest && !block_table_find(&inv->blocks, block))
		return -ENOENT;
	ret->first = block * bytes;
	ret->last = ret->first + bytes - 1;
	return 0;
}

/* From what is known. */
static int look_up(struct inventory *inv, const char *name, const struct target *target,
		   bool at_rest, struct phys_range **ret, size_t *ret_n, const char **ret_reason)
{
	const struct phys_range *ranges = &target->range;
	struct phys_range block, *copy;
	struct device *dev;
	size_t n = 1;
	int r;

	if (target->type == TARGET_MEMORY) {
		r = resolve_block(inv, target->block, at_rest, &block);
		if (r < 0)
			return r;
		ranges = &block;
	} else if (target->type == TARGET_DEVICE) {
		dev = find(&inv->known, name);
		if (!dev)
			return -ENOENT;
		ranges = dev->ranges;
		n = dev->n_ranges;
	}
	if (n == 0) {
		*ret_reason = "it has no memory of its own";
		return -EINVAL;
	}
	copy = calloc(n, sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	memcpy(copy, ranges, n * sizeof(*copy));
	*ret = copy;
	*ret_n = n;
	return 0;
}

int inventory_resolve(struct inventory *inv, const char *name, const struct target *target,
		      bool at_rest, struct phys_range **ret, size_t *ret_n,
		      const char **ret_reason)
{
	int r;

	watch_drain(inv->watch);
	if (at_rest) {
		r = inventory_refresh(inv);
		if (r < 0)
			return r;
	}
	return look_up(inv, name, target, at_rest, ret, ret_n, ret_reason);
}

int inventory_check(struct inventory *inv, const char *name, const struct target *target,
		    bool at_rest, const struct phys_range *ranges, size_t n)
{
	_cleanup_(freep) struct phys_range *now = NULL;
	const char *reason;
	size_t n_now = 0;
	int r = 0;

	watch_drain(inv->watch);
	if (at_rest)
		r = inventory_update(inv);
	if (r >= 0)
		r = look_up(inv, name, target, at_rest, &now, &n_now, &reason);
	if (r < 0)
		return r == -EINVAL ? -ESTALE : r;
	return n_now == n && memcmp(now, ranges, n * sizeof(*now)) == 0 ? 0 : -ESTALE;
}
