/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells when a module comes that there are eBPF programs for. */
#ifndef PINGUARD_KERNEL_PROBE_MODULES_H
#define PINGUARD_KERNEL_PROBE_MODULES_H

#include <systemd/sd-event.h>

#include "lib/macros.h"

struct probe_modules;

int probe_modules_watch(sd_event *event, int (*came)(void *userdata), void *userdata,
			struct probe_modules **ret);
struct probe_modules *probe_modules_free(struct probe_modules *m);

#endif
