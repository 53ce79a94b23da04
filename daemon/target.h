/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be drained, and where its memory is. While memory is being taken
 * away the kernel holds locks that readers of sysfs wait for, so that devices
 * are looked at before, and answered for from what is known.
 */
#ifndef PINGUARD_TARGET_H
#define PINGUARD_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/macros.h"

#define INVENTORY_MAX	     4096 /* devices */
#define INVENTORY_RANGES_MAX 256 /* of one of them */
#define TARGET_PHYS_MAX	     ((UINT64_C(1) << 52) - 1) /* the last address */

enum target_type {
	TARGET_MEMORY, /* memoryN */
	TARGET_DEVICE, /* daxX.Y, namespaceX.Y, regionN */
	TARGET_ADDRESSES, /* 0x1f000, 0x1f000-0x2ffff, pfn:31 */
	TARGET_NAME, /* anything else */
};

/* Physical addresses, first and last byte. */
struct phys_range {
	uint64_t first, last;
};

struct target {
	enum target_type type;
	uint64_t block; /* TARGET_MEMORY */
	struct phys_range range; /* TARGET_ADDRESSES */
};

/**
 * target_parse() - what a TARGET is, by its look alone
 * @page_bytes: size of a page, for pfn:N
 * @ret_reason: on failure a constant text
 *
 * Return: 0, -EINVAL for addresses that make no sense
 */
int target_parse(const char *text, uint64_t page_bytes, struct target *ret,
		 const char **ret_reason);

struct inventory;

/* Adds a range; size 0, or start UINT64_MAX, for a device whose memory is not known. */
int inventory_add(struct inventory *inv, const char *name, uint64_t start, uint64_t size);
/* Adds what a library knows: regions and namespaces. */
typedef int (*inventory_source)(struct inventory *inv);
int inventory_read_nd(struct inventory *inv);

/* sys: "/sys"; source: inventory_read_nd, or NULL. Both outlive it. */
int inventory_new(const char *sys, inventory_source source, struct inventory **ret);
struct inventory *inventory_free(struct inventory *inv);
DEFINE_CLEANUP(struct inventory *, inventory_free);
/* Reads all of it anew; on failure what was known stays. Not while memory is taken away. */
int inventory_refresh(struct inventory *inv);

/**
 * inventory_resolve() - where the memory of a target is
 * @target: of another type than TARGET_NAME
 * @at_rest: no memory is being taken away: sysfs may be read
 * @ret: the caller frees it; at least one
 * @ret_reason: on -EINVAL a constant text
 *
 * Return: 0, -ENOENT: no such thing; -EINVAL: it has no memory; another errno
 */
int inventory_resolve(struct inventory *inv, const char *name, const struct target *target,
		      bool at_rest, struct phys_range **ret, size_t *ret_n,
		      const char **ret_reason);

#endif
