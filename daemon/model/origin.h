/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What many pins have in common: the process that made them, for which device,
 * and the cgroups they belong to. Each such set is kept once, with its sums, so
 * that ten thousand pins of one process cost little and are summed up at once.
 */
#ifndef PINGUARD_MODEL_ORIGIN_H
#define PINGUARD_MODEL_ORIGIN_H

#include <stddef.h>
#include <stdint.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "daemon/model/pin.h"

struct cgroup_node;

struct pin_origin {
	UT_hash_handle hh;
	unsigned int refs;
	unsigned int shown_names; /* of registry_names(), when shown was made */
	char *shown; /* render-pin.c's: its members as text of JSON, NULL while nobody asked */
	uint64_t pins, bytes, charged_bytes; /* of those that live */
	/* The key, from here to the end: no padding in between. */
	struct cgroup_node *cgroup, *charged; /* references; NULL for none */
	uint32_t tgid;
	uint32_t uid;
	uint8_t kind;
	uint8_t comm_len;
	uint8_t comm[PIN_COMM_MAX]; /* any bytes, no NUL */
	char device[PINGUARD_DEVICE_NAME_MAX]; /* "" for none */
};

/* A table of them, zeroed and then origins_init()ed. */
struct origins {
	struct pin_origin *all;
	uint64_t secret[2]; /* users choose names: the hash is none that they could compute */
};

void origins_init(struct origins *table);

/* A reference to the one of these, found or made; NULL when out of memory. */
struct pin_origin *origin_get(struct origins *table, const struct pin_info *info,
			      struct cgroup_node *cgroup, struct cgroup_node *charged);
void origin_put(struct origins *table, struct pin_origin *origin);

#endif
