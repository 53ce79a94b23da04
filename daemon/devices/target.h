/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be drained, or asked about: by its look alone. */
#ifndef PINGUARD_DEVICES_TARGET_H
#define PINGUARD_DEVICES_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TARGET_PHYS_MAX ((UINT64_C(1) << 52) - 1) /* the last address */

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

#endif
