/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of this folder alone. */
#ifndef PINGUARD_OFFLINE_INTERNAL_H
#define PINGUARD_OFFLINE_INTERNAL_H

#include "daemon/cgroup/cgroup.h"
#include "daemon/offline/offline.h"

#define DROP_IN_NAMES 2

/**
 * drop_in_names() - which NAME.d reach exactly the services that a pattern is of
 * @pattern: one of the section's
 * @ret: names to be freed, NULL for none: pinguard's own service needs none
 * @ret_reason: on -EOPNOTSUPP a constant text
 *
 * Return: 0, -EOPNOTSUPP where systemd has no such name, -ENOMEM
 */
int drop_in_names(const struct declaration *d, const char *pattern, char *ret[static DROP_IN_NAMES],
		  const char **ret_reason);

/* Prints which sections may be of the same cgroups, and only their order decides. */
int check_overlaps(const struct declarations *d, FILE *out);

#endif
