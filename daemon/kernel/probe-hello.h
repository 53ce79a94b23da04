/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks the loader of the eBPF programs, which systemd starts, for their maps. */
#ifndef PINGUARD_KERNEL_PROBE_HELLO_H
#define PINGUARD_KERNEL_PROBE_HELLO_H

#include <systemd/sd-event.h>

#include "lib/macros.h"
#include "lib/probe-layout.h"

struct probe_hello_call;

/*
 * Called once, from the loop: fds are closed after it, unless they are set to -1; NULL
 * with the reason why there are none. The call may be freed from here.
 */
typedef int (*probe_hello_handler)(int *fds, const char *reason, void *userdata);

/* 0 or a negative errno: -ENOENT, there is no such socket */
int probe_hello_call(sd_event *event, const char *path, enum probe_wish wish,
		     probe_hello_handler handler, void *userdata, struct probe_hello_call **ret);
struct probe_hello_call *probe_hello_call_free(struct probe_hello_call *c);
DEFINE_CLEANUP(struct probe_hello_call *, probe_hello_call_free);

#endif
