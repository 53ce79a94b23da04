/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the manager alone. */
#ifndef PINGUARD_MANAGER_INTERNAL_H
#define PINGUARD_MANAGER_INTERNAL_H

#include <sys/signalfd.h>

#include "daemon/manager/manager.h"

extern const struct source_listener manager_listener;

int manager_on_status(sd_event_source *source, uint64_t usec, void *userdata);
int manager_on_hangup(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata);

/* What the kernel is told beside limits; configuration. */
int manager_kernel_new(struct manager *m, const struct manager_config *config);
int manager_kernel_start(struct manager *m); /* when cgroups are followed */
int manager_kernel_reload(struct manager *m);
void manager_kernel_free(struct manager *m);
/* Takes the marks of owners that have not come back, when they have had time to. */
int manager_check_marks(struct manager *m);

/* Before the releases and the kernel's family go. */
void manager_drains_free(struct manager *m);

#endif
