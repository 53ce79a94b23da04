/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The devices that have memory, and where it is. While memory is being taken
 * away the kernel holds locks that readers of sysfs wait for, so that devices
 * are looked at before, and answered for from what is known. Hot-plug events
 * say when to look again.
 */
#ifndef PINGUARD_DEVICES_INVENTORY_H
#define PINGUARD_DEVICES_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "daemon/devices/target.h"
#include "daemon/kernel/kernel.h"
#include "daemon/model/model.h"
#include "lib/macros.h"

#define INVENTORY_MAX	     4096 /* devices */
#define INVENTORY_RANGES_MAX 256 /* of one of them */
#define INVENTORY_BAD_MAX    4096 /* ranges of bad blocks of a region, the rest is left out */
#define INVENTORY_BLOCKS_MAX (1U << 20) /* memory blocks */

struct inventory;

/* Reads all that it knows into the inventory, with what follows. */
typedef int (*inventory_source)(struct inventory *inv);
/* Regions, namespaces and DIMMs, as libndctl knows them. */
int inventory_read_nd(struct inventory *inv);

/* sys: "/sys"; source: inventory_read_nd, or NULL. Both outlive it. */
int inventory_new(const char *sys, inventory_source source, struct inventory **ret);
struct inventory *inventory_free(struct inventory *inv);
DEFINE_CLEANUP(struct inventory *, inventory_free);

/*
 * Files that only the service manager can open in full: /proc/iomem and
 * /proc/kpageflags; -1 for none. Not closed. conclude: nobody else tells the
 * classes of memory; otherwise they are read where nothing else is known.
 */
void inventory_set_proc(struct inventory *inv, int iomem_fd, int kpageflags_fd, bool conclude);
/* -1 for none */
int inventory_kpageflags_fd(const struct inventory *inv);

/* Reads all of it anew; on failure what was known stays. Not while memory is taken away. */
int inventory_refresh(struct inventory *inv);
/* The same, if it may have changed. */
int inventory_update(struct inventory *inv);

/**
 * inventory_watch() - follow hot-plug of all devices that have memory
 * @changed: called from the event loop when something came or went
 *
 * Without it inventory_update() reads all anew, but for a moment after it did.
 */
int inventory_watch(struct inventory *inv, sd_event *event, void (*changed)(void *userdata),
		    void *userdata);

/* Takes what was told by now, and hands it on. */
void inventory_drain(struct inventory *inv);
/*
 * One that pins memory came, went, or was called old_name before, which may be NULL.
 * From the event loop, and from whatever takes what was told.
 */
void inventory_follow_pinners(struct inventory *inv,
			      void (*pinner)(const char *old_name, const char *name,
					     void *userdata),
			      void *userdata);

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

/*
 * Whether what was resolved is true yet. 0, -ENOENT: it has gone; -ESTALE: its
 * memory is another; or another errno.
 */
int inventory_check(struct inventory *inv, const char *name, const struct target *target,
		    bool at_rest, const struct phys_range *ranges, size_t n);

/*
 * Device files of a DAX device, a namespace or a region, and of all that is made of
 * its memory, as they were when it was read. 0, -ENOENT, -E2BIG: some are left out.
 */
int inventory_find_numbers(struct inventory *inv, const char *name, struct device_numbers *ret);

/**
 * inventory_place() - find what is at an address
 * @at_rest: no memory is being taken away: sysfs may be read
 * @ret: all of it, with a class concluded from the devices; place_set_frame()
 *	brings in the kernel's
 *
 * While not at rest it answers from what was known before; what cannot be known
 * then, such as whether a block is online, is left out.
 *
 * Return: 0 or a negative errno; an address without memory is no error
 */
int inventory_place(struct inventory *inv, uint64_t phys, bool at_rest, struct place *ret);

/* --- for sources --- */

/* Adds a range; size 0, or start UINT64_MAX, for a device whose memory is not known. */
int inventory_add(struct inventory *inv, const char *name, uint64_t start, uint64_t size);

/* How a namespace is used. */
struct inventory_layout {
	bool mapped; /* it has a memory map: data is some of it, metadata before that */
	bool linear; /* what the block device shows is data, byte for byte */
	struct phys_range data;
	const char *block_device; /* NULL for none */
};
/* Of one that was added. */
int inventory_set_layout(struct inventory *inv, const char *name,
			 const struct inventory_layout *layout);
/* Of a region that was added: node -1, and bad_known false, where not known. */
int inventory_set_region(struct inventory *inv, const char *name, int node, bool bad_known);
int inventory_add_dimm(struct inventory *inv, const char *region, const struct place_dimm *dimm);
int inventory_add_bad(struct inventory *inv, const char *region, uint64_t start, uint64_t size);

#endif
