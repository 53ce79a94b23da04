/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's marks of processes that are registered to be asked: they are
 * the only ones that may pin device memory where a policy says so.
 */
#ifndef PINGUARD_RELEASE_MARKS_H
#define PINGUARD_RELEASE_MARKS_H

#include <systemd/sd-event.h>

#include "daemon/kernel/kernel.h"
#include "daemon/release/owners.h"

struct marks;

/*
 * genl: NULL for a kernel that knows none; it outlives them. is_registered():
 * whether the process is an owner now
 */
int marks_new(sd_event *event, struct genl *genl,
	      bool (*is_registered)(pid_t pid, void *userdata), void *userdata,
	      struct marks **ret);
struct marks *marks_free(struct marks *marks);

/* Of one that has registered, or leaves. */
void marks_put(struct marks *marks, struct owner *owner);
void marks_take(struct marks *marks, struct owner *owner);
/* Takes those of owners that have not come back, when they have had time to. */
int marks_check(struct marks *marks);

#endif
