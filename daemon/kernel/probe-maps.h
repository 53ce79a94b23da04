/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The maps of the eBPF programs, mapped: read without a call to the kernel. */
#ifndef PINGUARD_KERNEL_PROBE_MAPS_H
#define PINGUARD_KERNEL_PROBE_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/kernel/probe-groups.h"
#include "daemon/model/model.h"
#include "lib/macros.h"
#include "lib/probe-layout.h"

struct probe_maps;

/* The descriptors stay the caller's. 0 or a negative errno */
int probe_maps_open(const int fds[PROBE_FDS], struct probe_maps **ret);
struct probe_maps *probe_maps_free(struct probe_maps *m);
DEFINE_CLEANUP(struct probe_maps *, probe_maps_free);

/* Places that may have a pin: those below. */
uint32_t probe_maps_places(const struct probe_maps *m);
/* A copy of the pin that is in a place now; false for none. */
bool probe_maps_read(const struct probe_maps *m, uint32_t place, struct probe_pin *ret);
/* A copy, its text terminated; all 0 for a kind that there is not. */
struct probe_kind probe_maps_kind(const struct probe_maps *m, uint32_t kind);
/* What cgroups have pinned, and their limits; good as long as the maps are. */
struct probe_groups probe_maps_groups(const struct probe_maps *m);
/* Pins of which a sum does not know. */
uint64_t probe_maps_ungrouped(const struct probe_maps *m);
/* Whether limits of any kind are kept; why: of a kind whose limits are not, "" for none. */
bool probe_maps_enforced(const struct probe_maps *m, char why[PROBE_REASON_MAX]);
/* Whether programs still write there: the loader has not taken them away. */
bool probe_maps_live(const struct probe_maps *m);
/* Whether both are mappings of the same maps. */
bool probe_maps_same(const struct probe_maps *a, const struct probe_maps *b);
uint64_t probe_maps_lost(const struct probe_maps *m);
uint64_t probe_maps_unlisted(const struct probe_maps *m);

/* Failures of memory that have come; the last PROBE_FAILURES_MAX of them are there. */
uint64_t probe_maps_failures(const struct probe_maps *m);
/* When these maps were made, CLOCK_BOOTTIME. */
uint64_t probe_maps_made_nsec(const struct probe_maps *m);
/*
 * A copy of one, by its number from 1, its text terminated: 1; 0: it is being written;
 * -ESTALE: another one has its place.
 */
int probe_maps_failure(const struct probe_maps *m, uint64_t id, struct probe_failure *ret);

/* How far the ring has been written, and read by us. */
unsigned long probe_maps_written(const struct probe_maps *m);
unsigned long probe_maps_consumed(const struct probe_maps *m);

/*
 * The next event: 1, 0 for none, -EAGAIN while a program writes it, though the ring is
 * readable then, -EBADMSG for one that makes no sense, which is left out, -ESTALE once
 * somebody else has read some, such as a second service.
 */
int probe_maps_next(struct probe_maps *m, struct probe_event *ret);
/* Leaves out all that is there now, up to one that is being written. */
void probe_maps_skip(struct probe_maps *m);

/* boot_usec: what CLOCK_REALTIME said when CLOCK_BOOTTIME was 0 */
void probe_pin_info(const struct probe_pin *pin, uint64_t boot_usec, struct pin_info *ret);
/* What is told of a refusal, beside the pin that it is of. */
void probe_deny_info(const struct probe_event *told, struct pin_event *ret);

/* Whether programs keep limits, as it was wished and told. */
struct probe_limits {
	enum probe_wish wish;
	bool kept;
	char why_not[PROBE_REASON_MAX]; /* "" where nobody wished it */
};

/* After each answer of the loader: whether that has changed. Logs why they are not kept. */
bool probe_limits_look(struct probe_limits *limits, const struct probe_maps *m);

#endif
