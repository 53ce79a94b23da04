/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When it is read, and where the memory of a target is. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "daemon/devices/inventory-internal.h"
#include "lib/clock.h"

/* Where nobody tells of changes: so long one answer is made from one look. */
#define UNTOLD_USEC (10 * 1000ULL)

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
	if (r >= 0)
		r = inventory_read_numbers(inv);
	if (r < 0) {
		inv->current = false;
		block_table_done(&blocks);
		device_table_done(&inv->fresh);
		return r;
	}
	block_table_done(&inv->blocks);
	inv->blocks = blocks;
	device_table_done(&inv->known);
	inv->known = inv->fresh;
	inv->fresh = (struct device_table){};
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

void inventory_drain(struct inventory *inv)
{
	watch_drain(inv->watch);
}

void inventory_follow_pinners(struct inventory *inv,
			      void (*pinner)(const char *old_name, const char *name,
					     void *userdata),
			      void *userdata)
{
	inv->pinner = pinner;
	inv->pinner_userdata = userdata;
}

int inventory_kpageflags_fd(const struct inventory *inv)
{
	return inv->kpageflags_fd;
}

struct inventory *inventory_free(struct inventory *inv)
{
	if (!inv)
		return NULL;
	watch_free(inv->watch);
	device_table_done(&inv->known);
	device_table_done(&inv->fresh);
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
		dev = device_table_find(&inv->known, name);
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
