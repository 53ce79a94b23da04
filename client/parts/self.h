/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_PINCTL_SELF_H
#define PINGUARD_PINCTL_SELF_H

struct pinctl;

/*
 * The quotas of the cgroup that this process is in, and of those above it, are in force
 * when this returns: by the service, or without it where it does not answer. What
 * no limit can be set on is told, and no failure. An exit status.
 */
int apply_own_quotas(struct pinctl *ctl);

#endif
