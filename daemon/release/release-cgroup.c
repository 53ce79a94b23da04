/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <poll.h>
#include <string.h>

#include "daemon/kernel/procfs.h"
#include "daemon/release/release-cgroup.h"
#include "daemon/release/internal.h"

static bool is_alive(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, 0) == 0;
}

/*
 * A pin stays in the cgroup that it was made in, and in a subtree of his own a
 * user can leave that and remove it: its path would tell nothing any more.
 */
char *release_owner_cgroup(const struct release_owner *o)
{
	_cleanup_(freep) char *path = NULL;

	/* Still there after it was read: the path is of this process. */
	if (!o->gone && o->pidfd >= 0 &&
	    procfs_read_cgroup(o->release->releases->proc_fd, o->pid, &path) >= 0 &&
	    is_alive(o->pidfd))
		return TAKE_PTR(path);
	return o->cgroup && o->cgroup->path ? strdup(o->cgroup->path) : NULL;
}
