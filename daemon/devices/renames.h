/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RDMA devices that got another name: pins carry the one that their device had when
 * they were made. A device is known by the number of its directory in sysfs, which
 * it keeps when it is renamed, and which no other has after it.
 *
 * What became of a name depends on when: another device may have taken it since.
 * The times are those of CLOCK_REALTIME at which a rename was told of or seen. So a
 * pin that the new holder of a name made before that is taken for one of the old;
 * and what was renamed before the service's first start nobody knows.
 */
#ifndef PINGUARD_DEVICES_RENAMES_H
#define PINGUARD_DEVICES_RENAMES_H

#include <linux/pinguard.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/macros.h"

#define RENAMES_MAX	    512	 /* the oldest are forgotten */
#define RENAMES_DEVICES_MAX 1024 /* others are not followed */
#define RENAMES_FILE	    "renames.json"
#define RENAMES_FILE_BYTES  (1U << 20)

struct rename_entry {
	char old[PINGUARD_DEVICE_NAME_MAX], new[PINGUARD_DEVICE_NAME_MAX];
	uint64_t usec; /* CLOCK_REALTIME; each later than the one before */
};

struct renames_config {
	const char *sys; /* "/sys" */
	const char *state_dir; /* for RENAMES_FILE; NULL: a restart forgets them */
	const char *boot_id; /* of this start of the machine; "" where it is not known */
	/* Of each that is learned, also of those in the file. */
	void (*learned)(const struct rename_entry *rename, void *userdata);
	void *userdata;
};

struct renames;

/* 0 or -ENOMEM; a file that makes no sense is taken for none. Calls back for what is in it. */
int renames_new(const struct renames_config *config, struct renames **ret);
struct renames *renames_free(struct renames *r);
DEFINE_CLEANUP(struct renames *, renames_free);

/* The kernel told of one; renames_look() is to follow. */
void renames_told(struct renames *r, const char *old, const char *new, uint64_t now_usec);
/* Looks which devices there are: what was not told is learned now. */
void renames_look(struct renames *r, uint64_t now_usec);

/* What a device is called today that had this name then; the name itself for no other. */
const char *renames_today(const struct renames *r, const char *name, uint64_t usec);
/* Whether a device has that name today. */
bool renames_is_there(const struct renames *r, const char *name);

#endif
