/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a physical address is: its memory class, and the devices that it belongs
 * to. Plain data.
 */
#ifndef PINGUARD_MODEL_PLACE_H
#define PINGUARD_MODEL_PLACE_H

#include <jansson.h>
#include <linux/pinguard.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLACE_DIMMS_MAX	 16 /* the rest are left out */
#define PLACE_NAME_MAX	 48
#define PLACE_SERIAL_MAX 24
#define PLACE_WHY_MAX	 192

enum place_health {
	PLACE_HEALTH_UNKNOWN,
	PLACE_HEALTH_OK,
	PLACE_HEALTH_NON_CRITICAL,
	PLACE_HEALTH_CRITICAL,
	PLACE_HEALTH_FATAL,
};

struct place_dimm {
	char name[PLACE_NAME_MAX];
	uint64_t handle;
	char serial[PLACE_SERIAL_MAX]; /* "" for none */
	enum place_health health;
};

/* Which part of a namespace the address is in, as far as its own layout tells. */
enum place_part {
	PLACE_PART_NONE, /* in no namespace, or not known */
	PLACE_PART_DATA,
	PLACE_PART_METADATA, /* before the data: info block, memory map */
	PLACE_PART_PADDING, /* behind the data, used by nobody */
	PLACE_PART_RAW, /* of one without a memory map */
};

/* Why there is no memory, where there is none. */
enum place_gap {
	PLACE_GAP_NONE,
	PLACE_GAP_MMIO, /* registers of a device */
	PLACE_GAP_HOLE, /* memory above and below */
	PLACE_GAP_ABOVE, /* no memory above */
};

/* Names are printable ASCII, "" for none. */
struct place {
	uint64_t phys;
	uint32_t class; /* enum pinguard_memory_class */
	bool from_kernel; /* who says the class; else what /proc and sysfs let one conclude */
	char why[PLACE_WHY_MAX];
	uint64_t page_flags; /* KPF_* bits, 0 where not known */
	bool poisoned;
	char memory_block[PLACE_NAME_MAX];
	int online; /* of the block; -1 where not known */
	int node; /* -1 where not known */
	char region[PLACE_NAME_MAX];
	char namespace[PLACE_NAME_MAX];
	char dax[PLACE_NAME_MAX];
	char block_device[PLACE_NAME_MAX];
	bool has_offset;
	uint64_t offset; /* in the innermost of dax, block_device, namespace, region */
	int bad; /* -1 where not known */
	size_t n_dimms;
	struct place_dimm dimms[PLACE_DIMMS_MAX];
	char pci[PLACE_NAME_MAX];

	/* What the class is concluded from; not in JSON. */
	enum place_part part;
	enum place_gap gap;
	uint64_t page_bytes; /* 0 where not known */
};

/* An address that nothing is known of. */
void place_init(struct place *place, uint64_t phys);

/**
 * place_set_frame() - take over what a page frame is, and say why
 * @class: enum pinguard_memory_class; corrected by the devices that the place
 *	names: the kernel takes the info block of a namespace whose memory map is
 *	in RAM for data of its device
 * @from_kernel: pinguard's part of the kernel says it
 * @page_flags: KPF_* bits, NULL where not known
 *
 * After the devices were found.
 */
void place_set_frame(struct place *place, uint32_t class, bool from_kernel,
		     const uint64_t *page_flags);

const char *place_class_name(uint32_t class); /* NULL for an unknown one */

/* As type Place of org.pinguard.Manager; a new reference, NULL when out of memory. */
json_t *place_to_json(const struct place *place);
/* The inverse; all keys must be there. -EBADMSG for what is no place. */
int place_from_json(const json_t *object, struct place *ret);

#endif
