/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices: those that have memory, where it is and what is at an address, and
 * those that pin it. Reads sysfs, /proc and udev, and asks the kernel for page
 * frames; knows neither pins nor who holds them, and decides nothing. While
 * memory is being taken away it reads nothing.
 */
#ifndef PINGUARD_DEVICES_DOOR_H
#define PINGUARD_DEVICES_DOOR_H

#include "daemon/devices/devname.h"
#include "daemon/devices/inventory.h"
#include "daemon/devices/renames.h"
#include "daemon/devices/target.h"
#include "daemon/kernel/kernel.h"

struct devices;

/* All that it points to outlives them. */
struct devices_config {
	const char *sys; /* "/sys" */
	const struct source *source; /* says what a page frame is */
	/* Whether no memory is being taken away, so that sysfs of what has memory may be read. */
	bool (*at_rest)(void *userdata);
	const char *state_dir; /* for RENAMES_FILE; NULL for none */
	const char *boot_id; /* of this start of the machine; NULL where it is not known */
	/* A device that pins has another name now; from devices_new() and devices_look(), too. */
	void (*renamed)(const struct rename_entry *rename, void *userdata);
	void *userdata;
};

/* Follows hot-plug where that is possible. 0 or a negative errno */
int devices_new(sd_event *event, const struct devices_config *config, struct devices **ret);
struct devices *devices_free(struct devices *d);
DEFINE_CLEANUP(struct devices *, devices_free);

/* Files that the service manager opened, -1 for none; not closed. */
void devices_set_proc(struct devices *d, int iomem_fd, int kpageflags_fd);

bool devices_at_rest(const struct devices *d);
struct inventory *devices_inventory(const struct devices *d);
/* If something has changed, as soon as no memory is being taken away; logs its errors. */
void devices_read(struct devices *d);

/**
 * devices_place() - what is at an address, as the kernel says it where it does
 * @at_rest: as devices_at_rest(), or false to read nothing
 *
 * Return: 0 or a negative errno; an address without memory is no error
 */
int devices_place(struct devices *d, uint64_t phys, bool at_rest, struct place *ret);

/* Learns of the names that devices which pin have today. */
void devices_look(struct devices *d);
/*
 * What a pin's device is called today, by the name that it had then; the name itself
 * where nobody knows of another. d: may be NULL
 */
const char *devices_name_today(const struct devices *d, const char *name, uint64_t usec);
/* Whether a device has that name today; after devices_look(). */
bool devices_has_name(const struct devices *d, const char *name);

/*
 * Device files of a target, TARGET_DEVICE or TARGET_NAME. 0, also where it has none;
 * -E2BIG: some are left out; -ENOENT: no such device is known; another errno.
 */
int devices_find_numbers(const struct devices *d, const char *name,
			 const struct target *target, struct device_numbers *ret);
/* devnames_find_kind_numbers() */
int devices_find_kind_numbers(const struct devices *d, uint32_t kind, struct device_numbers *ret);

/* As devnames_find(). */
int devices_find_names(const struct devices *d, const char *name, struct devnames *ret);

#endif
