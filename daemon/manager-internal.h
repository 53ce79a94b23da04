/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the manager alone. */
#ifndef PINGUARD_MANAGER_INTERNAL_H
#define PINGUARD_MANAGER_INTERNAL_H

#include <sys/signalfd.h>

#include "daemon/manager.h"

extern const struct genl_listener manager_listener;

int manager_on_status(sd_event_source *source, uint64_t usec, void *userdata);
int manager_on_hangup(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata);
int manager_on_appeared(const char *path, void *userdata);

#endif
