/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <linux/kernel-page-flags.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/model/place.h"
#include "lib/macros.h"

static const char *const classes[] = {
	[PINGUARD_MEMORY_CLASS_NONE] = "none",
	[PINGUARD_MEMORY_CLASS_RESERVED] = "reserved",
	[PINGUARD_MEMORY_CLASS_SYSTEM_RAM] = "system_ram",
	[PINGUARD_MEMORY_CLASS_HUGETLB] = "hugetlb",
	[PINGUARD_MEMORY_CLASS_VMEMMAP] = "vmemmap",
	[PINGUARD_MEMORY_CLASS_DEVICE_DAX] = "device_dax",
	[PINGUARD_MEMORY_CLASS_FSDAX] = "fsdax",
	[PINGUARD_MEMORY_CLASS_DAX_METADATA] = "dax_metadata",
	[PINGUARD_MEMORY_CLASS_PMEM_RAW] = "pmem_raw",
};

const char *place_class_name(uint32_t class)
{
	return class < ARRAY_SIZE(classes) ? classes[class] : NULL;
}

void place_init(struct place *place, uint64_t phys)
{
	*place = (struct place){
		.phys = phys,
		.class = PINGUARD_MEMORY_CLASS_NONE,
		.online = -1,
		.node = -1,
		.bad = -1,
	};
}

_printf_(2, 3) static void say(struct place *p, const char *format, ...)
{
	size_t len = strlen(p->why);
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(p->why + len, sizeof(p->why) - len, format, ap);
	va_end(ap);
}

static void say_none(struct place *p)
{
	if (p->pci[0])
		say(p, "registers or memory of the PCI device %s, mapped there", p->pci);
	else if (p->gap == PLACE_GAP_MMIO)
		say(p, "registers of a device, or firmware, and no memory");
	else if (p->gap == PLACE_GAP_HOLE)
		say(p, "a hole: there is memory below and above it");
	else if (p->gap == PLACE_GAP_ABOVE)
		say(p, "above all memory of this machine");
	else
		say(p, "no memory that the kernel uses");
}

static void say_ram(struct place *p)
{
	static const struct {
		int bit;
		const char *text;
	} uses[] = {
		{ KPF_OFFLINE, "memory that the kernel or a hypervisor took out of use" },
		{ KPF_BUDDY, "free memory of the page allocator" },
		{ KPF_SLAB, "memory of the kernel's own objects (slab)" },
		{ KPF_PGTABLE, "memory of a page table" },
		{ KPF_ZERO_PAGE, "the page of zeros" },
		{ KPF_THP, "memory of a transparent huge page" },
		{ KPF_ANON, "memory of processes" },
		{ KPF_MMAP, "memory of a file, mapped by processes" },
		{ KPF_LRU, "memory of files or processes" },
	};
	const char *text = "memory of the page allocator";
	size_t i;

	for (i = 0; i < ARRAY_SIZE(uses); i++)
		if (p->page_flags >> uses[i].bit & 1) {
			text = uses[i].text;
			break;
		}
	if (p->online == 0)
		say(p, "memory of %s, which is offline", p->memory_block);
	else
		say(p, "%s", text);
	if (p->dax[0])
		say(p, ", which %s gave to the system", p->dax);
}

/* "dax0.0 in namespace0.0", or as much of that as there is. */
static void say_device(struct place *p)
{
	const char *inner = p->dax[0] ? p->dax : p->block_device;
	const char *outer = p->namespace[0] ? p->namespace : p->region;

	if (inner[0])
		say(p, "%s%s", inner, outer[0] ? " in " : "");
	say(p, "%s", inner[0] || outer[0] ? outer : "a device that is not known");
}

static void say_raw(struct place *p)
{
	if (p->part == PLACE_PART_PADDING || p->part == PLACE_PART_METADATA)
		say(p, "outside of the data of %s, used by nobody", p->namespace);
	else if (p->namespace[0])
		say(p, "%s has no memory map", p->namespace);
	else if (p->region[0])
		say(p, "%s has no enabled namespace there", p->region);
	else
		say(p, "persistent memory without a memory map");
}

static void say_metadata(struct place *p, uint32_t told)
{
	say(p, "memory map or info block of ");
	say_device(p);
	if (told != p->class && place_class_name(told))
		say(p, "; the kernel takes it for %s, but it is outside of the device's data",
		    place_class_name(told));
}

static void say_class(struct place *p, uint32_t told)
{
	switch (p->class) {
	case PINGUARD_MEMORY_CLASS_RESERVED:
		say(p, "set aside: the kernel itself, tables of the firmware, or memory that was "
		       "never given to the page allocator");
		break;
	case PINGUARD_MEMORY_CLASS_SYSTEM_RAM:
		say_ram(p);
		break;
	case PINGUARD_MEMORY_CLASS_HUGETLB:
		say(p, "part of a hugetlb page");
		break;
	case PINGUARD_MEMORY_CLASS_VMEMMAP:
		say(p, "memory map of hot-added memory, in %s itself",
		    p->memory_block[0] ? p->memory_block : "that memory");
		break;
	case PINGUARD_MEMORY_CLASS_DEVICE_DAX:
	case PINGUARD_MEMORY_CLASS_FSDAX:
		say(p, "data of ");
		say_device(p);
		break;
	case PINGUARD_MEMORY_CLASS_DAX_METADATA:
		say_metadata(p, told);
		break;
	case PINGUARD_MEMORY_CLASS_PMEM_RAW:
		say_raw(p);
		break;
	default:
		say_none(p);
	}
}

void place_set_frame(struct place *p, uint32_t class, bool from_kernel,
		     const uint64_t *page_flags)
{
	const uint32_t told = class;

	if ((class == PINGUARD_MEMORY_CLASS_DEVICE_DAX || class == PINGUARD_MEMORY_CLASS_FSDAX) &&
	    p->part == PLACE_PART_METADATA)
		class = PINGUARD_MEMORY_CLASS_DAX_METADATA;
	if (!place_class_name(class))
		class = PINGUARD_MEMORY_CLASS_NONE;
	p->class = class;
	p->from_kernel = from_kernel;
	if (page_flags) {
		p->page_flags = *page_flags;
		p->poisoned = *page_flags >> KPF_HWPOISON & 1;
	}
	p->why[0] = '\0';
	say_class(p, told);
	if (!from_kernel)
		say(p, " (by /proc and sysfs: the kernel does not tell)");
	if (p->page_bytes && p->phys % p->page_bytes)
		say(p, "; of the page frame at 0x%" PRIx64, p->phys - p->phys % p->page_bytes);
}
