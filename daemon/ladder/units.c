/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Units: which one a cgroup or a process is in, and which are left alone. */
#include <string.h>

#include "daemon/kernel/kernel.h"
#include "daemon/ladder/units.h"
#include "lib/macros.h"

static bool has_suffix(const char *s, size_t n, const char *suffix)
{
	size_t k = strlen(suffix);

	return n > k && memcmp(s + n - k, suffix, k) == 0;
}

static bool is_unit(const char *s, size_t n)
{
	static const char *const suffixes[] = {
		".service", ".scope", ".socket", ".mount", ".swap",
	};

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (has_suffix(s, n, suffixes[i]))
			return true;
	return false;
}

size_t unit_next(const char **path, const char **ret_name, bool *ret_slice)
{
	const char *name = *path + strspn(*path, "/");
	size_t n = strcspn(name, "/");

	*path = name + n;
	*ret_slice = has_suffix(name, n, ".slice");
	if (!*ret_slice && !is_unit(name, n))
		return 0;
	/* systemd writes it before names that the kernel might take for files of its own */
	if (*name == '_' && n > 1) {
		name++;
		n--;
	}
	*ret_name = name;
	return n;
}

/* The first part of a path that is no slice, and where it ends. */
static size_t find_unit(const char *cgroup_path, const char **ret_name, const char **ret_end)
{
	bool slice = true;
	size_t n = 0;

	while (cgroup_path && slice) {
		n = unit_next(&cgroup_path, ret_name, &slice);
		if (n == 0)
			return 0;
	}
	*ret_end = cgroup_path;
	return n;
}

size_t cgroup_unit_len(const char *cgroup_path)
{
	const char *name, *end;

	return find_unit(cgroup_path, &name, &end) ? (size_t)(end - cgroup_path) : 0;
}

char *cgroup_unit(const char *cgroup_path)
{
	const char *name, *end;
	size_t n = find_unit(cgroup_path, &name, &end);

	return n ? strndup(name, n) : NULL;
}

char *process_unit(int proc_fd, pid_t pid)
{
	_cleanup_(freep) char *cgroup = NULL;

	if (proc_fd < 0 || procfs_read_cgroup(proc_fd, pid, &cgroup) < 0)
		return NULL;
	return cgroup_unit(cgroup);
}

const char *unit_unkillable(const char *unit)
{
	if (strcmp(unit, "init.scope") == 0)
		return "it is the system's own";
	if (strcmp(unit, "pinguard.service") == 0 ||
	    strncmp(unit, HOOK_UNIT_PREFIX, strlen(HOOK_UNIT_PREFIX)) == 0)
		return "it is pinguard's own";
	return NULL;
}

const char *unit_protected(const char *unit)
{
	const char *suffix = strrchr(unit, '.');

	if (suffix && strcmp(suffix, ".slice") == 0)
		return "a slice is more than one unit";
	if (strncmp(unit, "user@", 5) == 0)
		return "it is all of a user's units";
	return unit_unkillable(unit);
}
