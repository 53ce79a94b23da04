/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is at an address, by all that the inventory knows. */
#include <inttypes.h>
#include <linux/kernel-page-flags.h>
#include <stdio.h>
#include <string.h>

#include "daemon/devices/inventory-internal.h"
#include "daemon/kernel/kernel.h"

/* Bad blocks come without an event: those of persistent memory are read again after that. */
#define BAD_USEC (1 * 1000000ULL)

/* Where in the device it is, or false. */
static bool covers(const struct device *dev, uint64_t phys, uint64_t *ret_offset)
{
	uint64_t before = 0;
	size_t i;

	for (i = 0; i < dev->n_ranges; i++) {
		const struct phys_range *range = &dev->ranges[i];

		if (phys >= range->first && phys <= range->last) {
			*ret_offset = before + phys - range->first;
			return true;
		}
		before += range->last - range->first + 1;
	}
	return false;
}

static bool has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void set_offset(struct place *p, uint64_t offset)
{
	p->has_offset = true;
	p->offset = offset;
}

static bool is_bad(const struct device *region, const struct place *p)
{
	const uint64_t bytes = p->page_bytes ?: 1, first = p->phys - p->phys % bytes;
	size_t i;

	for (i = 0; i < region->n_bad; i++)
		if (region->bad[i].first <= first + bytes - 1 && region->bad[i].last >= first)
			return true;
	return false;
}

static void enter_region(struct place *p, const struct device *dev)
{
	strcpy(p->region, dev->name);
	if (p->node < 0)
		p->node = dev->node;
	if (dev->bad_known)
		p->bad = is_bad(dev, p);
	p->n_dimms = dev->n_dimms;
	if (dev->n_dimms)
		memcpy(p->dimms, dev->dimms, dev->n_dimms * sizeof(*dev->dimms));
}

static void enter_namespace(struct place *p, const struct device *dev, uint64_t offset)
{
	const struct phys_range *data = &dev->data;

	strcpy(p->namespace, dev->name);
	set_offset(p, offset);
	if (!dev->has_layout)
		return;
	p->part = PLACE_PART_RAW;
	if (dev->mapped)
		p->part = p->phys < data->first ? PLACE_PART_METADATA :
			  p->phys > data->last  ? PLACE_PART_PADDING :
						  PLACE_PART_DATA;
	/* The block device shows the data, or all of one without a memory map. */
	if (!dev->block_device[0] || (dev->mapped && p->part != PLACE_PART_DATA))
		return;
	strcpy(p->block_device, dev->block_device);
	/* Where sectors are moved around, none is at a place of its own. */
	p->has_offset = dev->linear;
	p->offset = !dev->linear ? 0 : dev->mapped ? p->phys - data->first : offset;
}

/* From the outermost device to the innermost. */
static void find_devices(const struct inventory *inv, struct place *p)
{
	static const char *const kinds[] = { "region", "namespace", "dax" };
	uint64_t offset;
	size_t kind, i;

	for (kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		for (i = 0; i < inv->known.n; i++) {
			const struct device *dev = &inv->known.all[i];

			if (!has_prefix(dev->name, kinds[kind]) ||
			    !covers(dev, p->phys, &offset))
				continue;
			if (kind == 1) {
				enter_namespace(p, dev, offset);
				continue;
			}
			set_offset(p, offset);
			if (kind == 0)
				enter_region(p, dev);
			else
				strcpy(p->dax, dev->name);
		}
	}
}

static void find_block(struct inventory *inv, struct place *p, bool at_rest)
{
	const uint64_t bytes = inv->blocks.block_bytes;
	const struct blocks *run;
	uint64_t block;

	if (!bytes)
		return;
	block = p->phys / bytes;
	run = block_table_find(&inv->blocks, block);
	if (!run)
		return;
	snprintf(p->memory_block, sizeof(p->memory_block), "memory%" PRIu64, block);
	p->node = run->node;
	if (at_rest)
		p->online = inventory_block_online(inv, block);
}

/* The last byte of memory that the inventory knows of. */
static uint64_t last_memory(const struct inventory *inv)
{
	uint64_t last = 0;
	size_t i, k;

	if (inv->blocks.n > 0)
		last = (inv->blocks.runs[inv->blocks.n - 1].last + 1) * inv->blocks.block_bytes - 1;
	for (i = 0; i < inv->known.n; i++)
		for (k = 0; k < inv->known.all[i].n_ranges; k++)
			last = MAX(last, inv->known.all[i].ranges[k].last);
	return last;
}

static bool is_found(const struct place *p)
{
	return p->memory_block[0] || p->region[0] || p->dax[0];
}

static void find_gap(struct inventory *inv, struct place *p, const struct iomem *iomem)
{
	const uint64_t last = MAX(last_memory(inv), iomem->last);

	if (is_found(p))
		return;
	(void)inventory_find_bar(inv, p->phys, p->pci, sizeof(p->pci));
	if (p->pci[0] || (iomem->outer[0] && !has_prefix(iomem->outer, "System RAM")))
		p->gap = PLACE_GAP_MMIO;
	else if (last)
		p->gap = p->phys > last ? PLACE_GAP_ABOVE : PLACE_GAP_HOLE;
}

/* Of what is not persistent memory. */
static uint32_t conclude_ram(const struct place *p, const struct iomem *iomem, bool has_iomem,
			     const uint64_t *flags)
{
	const bool is_ram = has_prefix(iomem->outer, "System RAM");

	if (flags && *flags >> KPF_NOPAGE & 1)
		return PINGUARD_MEMORY_CLASS_NONE;
	if (flags && *flags >> KPF_HUGE & 1)
		return PINGUARD_MEMORY_CLASS_HUGETLB;
	if (flags && *flags >> KPF_RESERVED & 1)
		return PINGUARD_MEMORY_CLASS_RESERVED;
	if (is_ram && has_prefix(iomem->inner, "Kernel "))
		return PINGUARD_MEMORY_CLASS_RESERVED;
	if (is_ram || (p->memory_block[0] && !has_iomem))
		return PINGUARD_MEMORY_CLASS_SYSTEM_RAM;
	/* Part of a block that firmware kept for itself. */
	if (p->memory_block[0] && iomem->outer[0])
		return PINGUARD_MEMORY_CLASS_RESERVED;
	return PINGUARD_MEMORY_CLASS_NONE;
}

/* What the class must be, as far as /proc and sysfs tell. */
static uint32_t conclude(const struct place *p, const struct iomem *iomem, bool has_iomem,
			 const uint64_t *flags)
{
	/* A DAX device that was given to the system has blocks. */
	if (p->dax[0])
		return p->memory_block[0] ? conclude_ram(p, iomem, has_iomem, flags) :
					    PINGUARD_MEMORY_CLASS_DEVICE_DAX;
	if (p->part == PLACE_PART_METADATA)
		return PINGUARD_MEMORY_CLASS_DAX_METADATA;
	if (p->part == PLACE_PART_DATA)
		return p->block_device[0] ? PINGUARD_MEMORY_CLASS_FSDAX :
					    PINGUARD_MEMORY_CLASS_DEVICE_DAX;
	if (p->namespace[0] || p->region[0])
		return PINGUARD_MEMORY_CLASS_PMEM_RAW;
	return conclude_ram(p, iomem, has_iomem, flags);
}

static int update(struct inventory *inv, uint64_t phys)
{
	uint64_t offset;
	size_t i;
	int r;

	r = inventory_update(inv);
	if (r < 0)
		return r;
	for (i = 0; i < inv->known.n; i++)
		if (inv->known.all[i].bad_known && covers(&inv->known.all[i], phys, &offset) &&
		    inventory_is_older(inv, BAD_USEC))
			return inventory_refresh(inv);
	return 0;
}

int inventory_place(struct inventory *inv, uint64_t phys, bool at_rest, struct place *ret)
{
	struct iomem iomem = {};
	uint64_t flags;
	struct place p;
	bool has_iomem, has_flags;
	int r;

	watch_drain(inv->watch);
	if (at_rest) {
		r = update(inv, phys);
		if (r < 0)
			return r;
	}
	place_init(&p, phys);
	p.page_bytes = sysconf(_SC_PAGESIZE);
	find_block(inv, &p, at_rest);
	find_devices(inv, &p);
	/* What cannot be read is left out. */
	has_iomem = (inv->conclude || !is_found(&p)) &&
		    iomem_read(inv->iomem_fd, phys, &iomem) >= 0;
	has_flags = inv->conclude &&
		    kpageflags_read(inv->kpageflags_fd, phys / p.page_bytes, &flags) >= 0;
	find_gap(inv, &p, &iomem);
	place_set_frame(&p, conclude(&p, &iomem, has_iomem, has_flags ? &flags : NULL), false,
			has_flags ? &flags : NULL);
	*ret = p;
	return 0;
}
