/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the manager alone. */
#ifndef PINGUARD_MANAGER_INTERNAL_H
#define PINGUARD_MANAGER_INTERNAL_H

#include <sys/signalfd.h>

#include "daemon/manager/manager.h"

extern const struct source_listener manager_listener;

int manager_on_status(sd_event_source *source, uint64_t usec, void *userdata);
int manager_on_hangup(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata);

/* A kernel with one of these looks at the frames of pins. */
#define MANAGER_REVOKE_FEATURES \
	(PINGUARD_FEATURE_DEVICE_REMOVAL | PINGUARD_FEATURE_MEMORY_OFFLINE)

int manager_revokes_new(struct manager *m);
void manager_revokes_free(struct manager *m); /* before the kernel's family goes */
int manager_on_revoke(struct manager *m, const struct pin_event *e);
/* After each list of pins: those that are under way, also from before the service's start. */
int manager_list_revokes(struct manager *m);
int manager_failures_new(struct manager *m, const struct manager_config *config);
void manager_failures_free(struct manager *m); /* before the kernel's family goes */
int manager_on_failure(struct manager *m, const struct pin_event *e);
/* After each list of pins: what failed and is in use, also from before the service's start. */
int manager_list_failures(struct manager *m);
struct release;
void manager_failures_release_over(struct manager *m, const struct release *release);

size_t manager_n_revokes(const struct manager *m);

/* What the kernel is told beside limits; configuration. */
int manager_kernel_new(struct manager *m, const struct manager_config *config);
int manager_kernel_start(struct manager *m); /* when cgroups are followed */
int manager_kernel_reload(struct manager *m);
void manager_kernel_free(struct manager *m);
/* Takes the marks of owners that have not come back, when they have had time to. */
int manager_check_marks(struct manager *m);

/*
 * Where more is pinned than a quota says, owners are asked for the rest: as soon
 * as it is set (by uid), when a pin has been charged that passes its high mark,
 * when the list of pins has been read, and when a request is over that stood in
 * the way. What goes wrong is logged.
 */
void manager_quota_set(struct manager *m, const char *path, uint32_t uid);
void manager_pinned(struct manager *m, uint64_t charged_cgroup_id);
void manager_excess_resynced(struct manager *m);
void manager_excess_release_over(struct manager *m);
void manager_excess_free(struct manager *m);

/* Before the releases and the kernel's family go. */
void manager_drains_free(struct manager *m);

#endif
