/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "daemon/ladder/action.h"
#include "daemon/ladder/reach.h"
#include "daemon/ladder/units.h"
#include "lib/cgroup-path.h"
#include "lib/file.h"
#include "lib/macros.h"

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

bool kills_cgroup(const char *path, const char *selected)
{
	size_t unit = cgroup_unit_len(path);

	return unit > 0 && selected && cgroup_path_is_in(path, selected) && strlen(selected) > unit;
}

/* Files of cgroups are small: what is looked for is at their begin. */
static int read_begin(int dir_fd, const char *name, char buf[static 64])
{
	_cleanup_(closep) int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, 63);

	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return 0;
}

/* Whether threads that run in a cgroup are of processes that are in one above. 0, 1 */
static int is_threaded(int fd)
{
	char type[64];
	int r = read_begin(fd, "cgroup.type", type);

	/* that of the root */
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : strcmp(type, "threaded\n") == 0;
}

/* Whether processes are in a cgroup or below it, that is not threaded. 0, 1 */
static int has_processes(int parent_fd, const char *name)
{
	_cleanup_(closep) int fd = file_open_dir(parent_fd, name);
	char events[64];
	int r;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	r = read_begin(fd, "cgroup.events", events);
	/* ENODEV: removed since */
	if (r < 0)
		return r == -ENOENT || r == -ENODEV ? 0 : r;
	if (!strstr(events, "populated 1"))
		return 0;
	r = is_threaded(fd);
	return r < 0 ? r : !r;
}

/* The first one below a cgroup that has processes, but for @own; its name, or NULL. */
static int find_child(int fd, const char *own, unsigned int *looked, char **ret)
{
	_cleanup_(closedirp) DIR *dir = NULL;
	_cleanup_(closep) int copy = file_open_dir(fd, "");
	const struct dirent *entry;
	int r;

	if (copy < 0)
		return copy;
	dir = fdopendir(copy);
	if (!dir)
		return -errno;
	(void)TAKE_FD(copy);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || (own && strcmp(entry->d_name, own) == 0) ||
		    (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
			continue;
		if (++*looked > ACTION_LOOKS_MAX)
			return -E2BIG;
		r = has_processes(fd, entry->d_name);
		if (r == -ENOTDIR || r == 0)
			continue;
		if (r > 0)
			*ret = strdup(entry->d_name);
		return r < 0 ? r : *ret ? 0 : -ENOMEM;
	}
	return 0;
}

/* Above what was selected: in a cgroup itself, and in those below it but for @own. */
static int look_at(int root_fd, const char *path, const char *own, unsigned int *looked,
		   char **ret_beyond)
{
	_cleanup_(closep) int fd = file_open_dir(root_fd, path);
	_cleanup_(freep) char *child = NULL;
	char procs[64] = "";
	int r = fd < 0 ? fd : 0;

	if (r == 0 && ++*looked > ACTION_LOOKS_MAX)
		r = -E2BIG;
	if (r == 0 && own)
		r = read_begin(fd, "cgroup.procs", procs);
	if (r == 0 && !*procs)
		r = find_child(fd, own, looked, &child);
	if (r < 0 || (!*procs && !child))
		return r;
	if (asprintf(ret_beyond, "%s%s%s", path, child ? "/" : "", child ?: "") < 0) {
		*ret_beyond = NULL;
		return -ENOMEM;
	}
	return 0;
}

/* Up to the cgroup that the processes of threads are in. */
static int leave_threaded(int root_fd, char *path, size_t unit)
{
	int r = 1;

	while (r > 0 && strlen(path) > unit) {
		_cleanup_(closep) int fd = file_open_dir(root_fd, path);

		r = fd < 0 ? fd : is_threaded(fd);
		if (r > 0)
			*strrchr(path, '/') = '\0';
	}
	return MIN(r, 0);
}

int unit_reach(int root_fd, const char *path, const char *selected, unsigned int *ret_looked,
	       char **ret_beyond)
{
	const size_t unit = cgroup_unit_len(path);
	const bool whole = selected && cgroup_path_is_in(path, selected);
	_cleanup_(freep) char *at = strdup(whole ? selected : path);
	char *name = NULL, *beyond = NULL;
	int r = 0;

	*ret_looked = 0;
	*ret_beyond = NULL;
	if (!at)
		return -ENOMEM;
	if (unit == 0)
		return -ENOENT;
	if (whole && strlen(selected) <= unit)
		return 0;
	if (!whole) {
		r = leave_threaded(root_fd, at, unit);
		if (r == 0)
			r = look_at(root_fd, at, NULL, ret_looked, &beyond);
	}
	while (r == 0 && !beyond && strlen(at) > unit) {
		name = strrchr(at, '/');
		*name++ = '\0';
		r = look_at(root_fd, at, name, ret_looked, &beyond);
	}
	if (r == 0)
		*ret_beyond = beyond;
	return r;
}
