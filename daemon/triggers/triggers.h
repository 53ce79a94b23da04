/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What starts requests by itself: revokes of the kernel, memory that failed,
 * and more pins than a quota says. Each finds out whose pins it is about, and
 * has the release of them started; what follows is the release's. Knows no call
 * and no client.
 */
#ifndef PINGUARD_TRIGGERS_DOOR_H
#define PINGUARD_TRIGGERS_DOOR_H

#include <systemd/sd-event.h>

#include "daemon/cgroup/cgroup.h"
#include "daemon/devices/devices.h"
#include "daemon/kernel/kernel.h"
#include "daemon/model/model.h"
#include "daemon/release/release.h"

struct triggers;

/* What they stand on, all of which outlives them. */
struct triggers_config {
	struct registry *registry;
	struct events *events;
	struct source *source;
	struct walks *walks; /* NULL where only the kernel is asked */
	struct cgroups *cgroups;
	struct devices *devices;
	struct owners *owners;
	struct releases *releases;
	const char *state_dir; /* NULL for none: no history of failures is kept */
	const char *proc; /* "/proc" */
	const char *boot_id; /* of this start of the machine; NULL: proc says it */
};

int triggers_new(sd_event *event, const struct triggers_config *config, struct triggers **ret);
struct triggers *triggers_free(struct triggers *t);
DEFINE_CLEANUP(struct triggers *, triggers_free);

/* REVOKE, FAILURE and what ends them, after the registry. A negative errno ends the service. */
int triggers_event(struct triggers *t, const struct pin_event *e);
/* A pin is new, or has changed. */
void triggers_pinned(struct triggers *t, const struct pin_info *pin);
/* One is gone that was. */
void triggers_unpinned(struct triggers *t, const struct pin_info *pin);
/* The list of pins has been read. What the kernel lists beside it is read next. */
int triggers_resynced(struct triggers *t);
void triggers_release_over(struct triggers *t, const struct release *release);
/* A quota has been set by that user. Its owners are asked before this returns. */
void triggers_quota_set(struct triggers *t, const char *path, uint32_t uid);

/* Files may declare other high marks than before. */
void triggers_quotas_declared(struct triggers *t);
/* Some have come that files declare: those are marked as raised. */
void triggers_quotas_raised(struct triggers *t);

/* Memory that is being taken away, at how many places. */
size_t triggers_n_revokes(const struct triggers *t);
/* Of those, memory of devices that are removed, which cannot be pinned any more. */
size_t triggers_n_removals(const struct triggers *t);
/* All that is known of memory that failed. */
struct failures *triggers_failures(const struct triggers *t);

#endif
