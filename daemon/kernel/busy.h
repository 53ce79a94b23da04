/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What page frames are in use for that stands in the way of taking them out of use,
 * though no long-term pin holds them: summed up from /proc/kpageflags.
 */
#ifndef PINGUARD_KERNEL_BUSY_H
#define PINGUARD_KERNEL_BUSY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "daemon/kernel/genl.h"
#include "lib/macros.h"

/* Of /proc/kpageflags, and not in the kernel's header for it: the bit of PG_reserved. */
#define KPF_RESERVED 32

/* In one look, 4 GiB of the usual pages: memory blocks have 2 GiB at most there. */
#define BUSY_FRAMES_MAX	 (1U << 20)
#define BUSY_FRAMES_TURN 8192 /* in one turn of the loop: 64 KiB of flags */

enum busy_class {
	BUSY_NONE, /* free, poisoned, no memory, or pages that move */
	/* These do not move. */
	BUSY_SLAB,
	BUSY_PAGE_TABLES,
	BUSY_RESERVED, /* since boot */
	BUSY_KERNEL, /* all else that is no page of a file or a process */
	/* These may. */
	BUSY_HUGETLB,
	BUSY_UNEVICTABLE, /* locked by a process, or pinned */
	BUSY_OFFLINE, /* given back to a hypervisor, as by a balloon */
	BUSY_CLASSES,
};

struct busy_sums {
	uint64_t frames[BUSY_CLASSES];
	enum busy_class last; /* of the frame before: the rest of a large page is as its begin */
};

const char *busy_class_name(enum busy_class class);
/* Adds frames that follow those before; flags: KPF_* of each. */
void busy_add(struct busy_sums *sums, const uint64_t *flags, size_t n);

struct busy;

struct busy_config {
	int kpageflags_fd; /* not closed */
	const struct pfn_range *ranges;
	size_t n_ranges;
	/* Called once, from the event loop. 0 or a negative errno; it may be freed from here. */
	void (*done)(int error, const struct busy_sums *sums, void *userdata);
	void *userdata;
};

/**
 * busy_find() - sum up what is in some ranges, a part in each turn of the loop
 *
 * Return: 0, -EBADF without that file, -E2BIG for more than BUSY_FRAMES_MAX frames,
 * -ENOMEM, or an error of the loop
 */
int busy_find(sd_event *event, const struct busy_config *config, struct busy **ret);
struct busy *busy_free(struct busy *b); /* ends it; NULL is fine; returns NULL */
DEFINE_CLEANUP(struct busy *, busy_free);

#endif
