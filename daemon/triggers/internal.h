/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The three of them, for each other and for tests. */
#ifndef PINGUARD_TRIGGERS_INTERNAL_H
#define PINGUARD_TRIGGERS_INTERNAL_H

#include "daemon/triggers/triggers.h"

struct revoking;
struct failing;
struct excess;

struct triggers {
	struct triggers_config config;
	struct revoking *revoking;
	struct failing *failing;
	struct excess *excess;
};

/* revokes.c: what the kernel wants back. config outlives them, here and below. */
int revoking_new(sd_event *event, const struct triggers_config *config, struct revoking **ret);
struct revoking *revoking_free(struct revoking *r);
int revoking_event(struct revoking *r, const struct pin_event *e);
/* After each list of pins: those that are under way, also from before the service's start. */
int revoking_list(struct revoking *r);
size_t revoking_count(const struct revoking *r);
size_t revoking_count_removals(const struct revoking *r);

/* failures.c: memory that failed */
int failing_new(sd_event *event, const struct triggers_config *config, struct failing **ret);
struct failing *failing_free(struct failing *failing);
int failing_event(struct failing *failing, const struct pin_event *e);
/* After each list of pins: what failed and is in use, also from before the service's start. */
int failing_list(struct failing *failing);
/* A pin is gone. */
void failing_unpinned(struct failing *failing);
void failing_release_over(struct failing *failing, const struct release *release);
struct failures *failing_failures(const struct failing *failing);

/*
 * excess.c: where more is pinned than a quota says, owners are asked for the
 * rest: as soon as it is set (by uid), when a pin has been charged (more) that
 * passes its high mark, when the list of pins has been read, and when a request is
 * over that stood in the way. What goes wrong is logged.
 */
int excess_new(sd_event *event, const struct triggers_config *config, struct excess **ret);
struct excess *excess_free(struct excess *x);
void excess_quota_set(struct excess *x, const char *path, uint32_t uid);
void excess_pinned(struct excess *x, const struct pin_info *pin, bool more);
void excess_resynced(struct excess *x);
void excess_raised(struct excess *x);
void excess_release_over(struct excess *x);

/* pressure.c: cgroups in which memory is short, of those whose files want to know. */
#define PRESSURES_MAX 256 /* cgroups that are watched; the kernel does work for each */

struct pressures;
/* False: it is of no interest any more. Does not look at that quota from within. */
typedef bool (*pressure_pressed)(const char *path, void *userdata);

int pressures_new(sd_event *event, const struct triggers_config *config, pressure_pressed pressed,
		  void *userdata, struct pressures **ret);
struct pressures *pressures_free(struct pressures *p);
/* Watch the quota's cgroup, or no more. What goes wrong is logged. */
void pressures_look(struct pressures *p, const struct quota *quota);

/* excess-pins.c */
/*
 * Pins charged to a cgroup and those below it, or that should be, until their bytes are
 * excess_bytes or more: those of the owner with most first, of each the
 * largest first; of the same size the oldest first. *ret_ids is the caller's to free.
 */
int excess_find_pins(struct registry *registry, uint64_t cgroup_id, uint64_t excess_bytes,
		     uint64_t **ret_ids, size_t *ret_n);

#endif
