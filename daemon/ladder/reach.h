/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How far a step would reach, as cgroupfs tells. */
#ifndef PINGUARD_LADDER_REACH_H
#define PINGUARD_LADDER_REACH_H

#include <stdbool.h>

/**
 * unit_reach() - whether the unit that a cgroup is in has more than was selected
 * @root_fd: of cgroup2
 * @path: of the process, raw
 * @selected: everything in this cgroup was selected; NULL: what runs in @path
 * @ret_beyond: a cgroup of the unit that has processes and was not selected, to
 *	be freed; NULL where there is none
 *
 * The cgroups below the process's that are threaded are its own: their threads
 * are of the same processes.
 *
 * ret_looked counts the cgroups that were looked at, also where that failed.
 *
 * Return: 0, -ENOENT where no unit is in @path, -E2BIG for more than
 * ACTION_LOOKS_MAX cgroups, -ENOMEM, or why cgroupfs cannot be read
 */
int unit_reach(int root_fd, const char *path, const char *selected, unsigned int *ret_looked,
	       char **ret_beyond);

/**
 * kills_cgroup() - whether a kill is one of the whole cgroup that was selected
 *
 * It is where the process runs in it, and where it is a part of a unit: a unit
 * as a whole, or what has several, is systemd's to end.
 */
bool kills_cgroup(const char *path, const char *selected);

#endif
