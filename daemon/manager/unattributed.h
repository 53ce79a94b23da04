/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What processes have pinned beyond their pins: what a kernel that tells of pins does
 * not tell of is in VmPin all the same.
 */
#ifndef PINGUARD_MANAGER_UNATTRIBUTED_H
#define PINGUARD_MANAGER_UNATTRIBUTED_H

#include "daemon/manager/internal.h"

#define UNATTRIBUTED_PROCESSES_MAX (1 << 20) /* with pinned memory; others are left out */

int unattributed_new(struct manager *m, const char *proc, struct unattributed **ret);
struct unattributed *unattributed_free(struct unattributed *u);
DEFINE_CLEANUP(struct unattributed *, unattributed_free);

/*
 * Starts to look anew, a bit each turn of the loop, unless that is under way or
 * was done a moment ago. 1: what there is is fresh; 0: waiters_settle() will be called.
 */
int unattributed_refresh(struct unattributed *u);
bool unattributed_is_fresh(const struct manager *m);
/* As of a look that is fresh; false while one is under way, or where it failed. */
bool unattributed_bytes(const struct unattributed *u, uint64_t *ret_bytes);

#endif
