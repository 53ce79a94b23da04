/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PINGUARD_CGROUP_PATH_H
#define PINGUARD_CGROUP_PATH_H

#include <stdbool.h>

/* Where cgroup2 is mounted on a machine that runs systemd. */
#define CGROUP_MOUNT "/sys/fs/cgroup"

enum cgroup_name_type {
	CGROUP_NAME_PATH, /* "/a.slice/b.service", "/" for the root */
	CGROUP_NAME_UNIT, /* "b.service": the last component of a path to be found */
};

/**
 * cgroup_name_parse() - tell what a CGROUP argument means
 * @name: a path below the root of cgroup2 as /proc/PID/cgroup has it, the same
 *	with CGROUP_MOUNT before it, or the name of a unit; "a-b.slice" becomes
 *	"/a.slice/a-b.slice", a name without a unit's suffix is a service
 * @ret_type: path or unit
 * @ret_name: the path without doubled or trailing slashes, or the unit's name;
 *	the caller frees it
 * @ret_reason: on -EINVAL a constant text that says what is wrong; may be NULL
 *
 * Backslashes are left alone: see escape_name(), whose result may be given
 * here, too.
 *
 * Return: 0, -EINVAL, -ENOMEM
 */
int cgroup_name_parse(const char *name, enum cgroup_name_type *ret_type, char **ret_name,
		      const char **ret_reason);

/**
 * cgroup_path_is_in() - whether a cgroup is another one, or below it
 * @path: absolute, without doubled or trailing slashes
 * @top: likewise; everything is in "/"
 */
bool cgroup_path_is_in(const char *path, const char *top);

#endif
