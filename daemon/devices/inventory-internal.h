/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the files of the inventory alone. Each file names none but those above
 * it: sysfs, blocks, pci, devices, dax and nd, numbers, watch, inventory, place.
 */
#ifndef PINGUARD_DEVICES_INVENTORY_INTERNAL_H
#define PINGUARD_DEVICES_INVENTORY_INTERNAL_H

#include "daemon/devices/inventory.h"

struct device {
	char name[PLACE_NAME_MAX];
	struct phys_range *ranges;
	size_t n_ranges;
	struct device_number *numbers; /* of its files */
	size_t n_numbers;

	/* A namespace. */
	bool has_layout, mapped, linear;
	struct phys_range data;
	char block_device[PLACE_NAME_MAX];

	/* A region. */
	int node;
	struct place_dimm *dimms;
	size_t n_dimms;
	bool bad_known;
	struct phys_range *bad;
	size_t n_bad;
};

struct device_table {
	struct device *all;
	size_t n, size;
};

/* Memory blocks, one after another, of one node; -1 where that is not known. */
struct blocks {
	uint64_t first, last;
	int node;
};

struct block_table {
	struct blocks *runs; /* in ascending order */
	size_t n;
	uint64_t block_bytes; /* 0: not known */
};

struct watch;

struct inventory {
	const char *sys;
	inventory_source source;
	struct device_table known, fresh;
	struct block_table blocks;
	bool current; /* nothing has changed since it was read */
	uint64_t read_usec; /* CLOCK_MONOTONIC */
	struct watch *watch; /* NULL: nobody tells when something changes */
	int iomem_fd, kpageflags_fd;
	void (*pinner)(const char *old_name, const char *name, void *userdata);
	void *pinner_userdata;
	bool conclude; /* from them; the kernel does not tell classes */
};

/* inventory-sysfs.c */
/* A name as it can be shown and kept: short, printable ASCII, no backslash, no slash. */
bool inventory_name_ok(const char *name);
/* NAMEN, without anything behind the number. */
bool inventory_parse_numbered(const char *name, const char *prefix, uint64_t *ret);
int inventory_open_sys(const struct inventory *inv, const char *path);
/* A file with one number; base 0 takes "0x1f" and "31". */
int inventory_read_number(int dir_fd, const char *file, int base, uint64_t *ret);
/* A file's first line. */
int inventory_read_line(int dir_fd, const char *file, char *ret, size_t size);
/* Calls back for each name in a directory, until that is not 0; the fd is taken over. */
int inventory_each(int dir_fd, int (*one)(int dir_fd, const char *name, void *userdata),
		   void *userdata);

/* inventory-blocks.c */
int inventory_read_blocks(struct inventory *inv, struct block_table *ret);
void block_table_done(struct block_table *table);
/* NULL where there is no such block. */
const struct blocks *block_table_find(const struct block_table *table, uint64_t block);
void block_table_remove(struct block_table *table, uint64_t block);
/* 1 online, 0 offline, -1 not known */
int inventory_block_online(struct inventory *inv, uint64_t block);

/* inventory-pci.c */
/* The PCI function in whose BAR the address is; false for none. */
bool inventory_find_bar(struct inventory *inv, uint64_t phys, char *ret, size_t size);

/* inventory-devices.c */
struct device *device_table_find(struct device_table *d, const char *name); /* NULL: not known */
void device_table_done(struct device_table *d);
/* A device that is there no more; nothing is read for that. */
void inventory_forget(struct inventory *inv, const char *subsystem, const char *name);

/* inventory-dax.c */
int inventory_read_dax(struct inventory *inv);

/* inventory-numbers.c */
/* Of all that has been read. */
int inventory_read_numbers(struct inventory *inv);
/* A file with "252:1". */
int numbers_read(int dir_fd, const char *file, dev_t *ret);
/* Each once; -E2BIG */
int numbers_add(struct device_numbers *numbers, const struct device_number *number);

/* inventory-watch.c */
/* Takes what has been told by now; NULL is fine. */
void watch_drain(struct watch *watch);
struct watch *watch_free(struct watch *watch);

/* inventory.c */
/* Whether it was read longer ago than that. */
bool inventory_is_older(const struct inventory *inv, uint64_t usec);

#endif
