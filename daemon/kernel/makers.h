/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the processes that made pins live. The kernel says so with its lists of
 * pins alone, and tells nobody when one ends: so it is looked at when pins are shown.
 */
#ifndef PINGUARD_KERNEL_MAKERS_H
#define PINGUARD_KERNEL_MAKERS_H

#include "daemon/kernel/genl.h"
#include "daemon/model/model.h"

#define MAKERS_KEPT	 256 /* processes; others are looked at anew */
#define MAKERS_KEPT_USEC (100 * 1000ULL) /* what was seen is true for so long */

struct makers;

/* proc: "/proc"; genl: NULL where the kernel cannot be asked; it outlives them */
int makers_new(const char *proc, struct genl *genl, struct makers **ret);
struct makers *makers_free(struct makers *makers); /* NULL is fine; returns NULL */
DEFINE_CLEANUP(struct makers *, makers_free);

/*
 * Marks a pin whose maker has ended, in the registry: PINGUARD_FLAG_OWNER_GONE.
 * Where nobody can tell the mark stays as it is. NULL for makers is fine. now_usec:
 * CLOCK_MONOTONIC
 */
void makers_check(struct makers *makers, struct pin *pin, uint64_t now_usec);

#endif
