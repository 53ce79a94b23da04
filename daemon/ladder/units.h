/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Units of systemd, as the names of cgroups tell them. */
#ifndef PINGUARD_LADDER_UNITS_H
#define PINGUARD_LADDER_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Units that run hooks. */
#define HOOK_UNIT_PREFIX "pinguard-hook-"

/*
 * The next part of a path that is a unit of the system: slices, then one that
 * is not. Return: its length, 0 at the end; *path then points behind it.
 */
size_t unit_next(const char **path, const char **ret_name, bool *ret_slice);

/* The length of the path of that unit's own cgroup; 0 where a path has none. */
size_t cgroup_unit_len(const char *cgroup_path);

/**
 * cgroup_unit() - the system's unit that a cgroup belongs to: the first part of
 *	its path that is no slice
 *
 * What is further down has names of the unit's own choice.
 *
 * Return: its name, to be freed; NULL where there is none, for NULL, or out of memory
 */
char *cgroup_unit(const char *cgroup_path);

/* Return: a new string, NULL out of memory or where it cannot be read */
char *process_unit(int proc_fd, pid_t pid);

/* Why a unit is not stopped; NULL if it is. */
const char *unit_protected(const char *unit);
/* Why no process in a unit is killed: far fewer are. */
const char *unit_unkillable(const char *unit);

#endif
