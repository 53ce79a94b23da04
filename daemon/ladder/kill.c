/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The action that needs no systemd: a process is killed, or the cgroup that was selected. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>

#include "daemon/kernel/kernel.h"
#include "daemon/ladder/internal.h"
#include "daemon/ladder/units.h"
#include "lib/file.h"

static int on_exited(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct action *a = userdata;

	action_finish(a, 0, "process %d has ended", a->pid);
	return 0;
}

/* Everything that is in it: as the kernel does it, none that forks is left over. */
static int kill_cgroup(struct actions *actions, const char *path)
{
	_cleanup_(closep) int dir = file_open_dir(actions->cgroup_fd, path), fd = -1;

	if (dir < 0)
		return dir;
	fd = openat(dir, "cgroup.kill", O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 || write(fd, "1", 1) < 0 ? -errno : 0;
}

/* The process, in any case; with it what was selected, where the kernel can: since 5.14. */
static int send_kill(struct action *a, const char *selected)
{
	_cleanup_(freep) char *cgroup = NULL;
	int r;

	if (selected && procfs_read_cgroup(a->actions->proc_fd, a->pid, &cgroup) >= 0 &&
	    pidfd_is_alive(a->pidfd) && kill_takes_cgroup(a->actions, cgroup, selected)) {
		r = kill_cgroup(a->actions, selected);
		if (r < 0 && r != -ENOENT && r != -EOPNOTSUPP)
			return r;
	}
	/* that it is being killed already is no error */
	return pidfd_send_signal(a->pidfd, SIGKILL, NULL, 0) < 0 ? -errno : 0;
}

int action_kill(struct actions *actions, int pidfd, const char *selected, action_done done,
		void *userdata, struct action **ret)
{
	_cleanup_(action_freep) struct action *a = NULL;
	int r;

	r = action_new(actions, done, userdata, &a);
	if (r < 0)
		return r;
	if (action_process(a, pidfd, unit_unkillable)) {
		r = sd_event_add_io(actions->event, &a->source, a->pidfd, EPOLLIN, on_exited, a);
		if (r < 0)
			return r;
		(void)sd_event_source_set_description(a->source, "action-kill");
		r = send_kill(a, selected);
		if (r < 0 && r != -ESRCH)
			action_finish(a, r, "process %d cannot be killed: %s", a->pid,
				      strerror(-r));
	}
	*ret = TAKE_PTR(a);
	return 0;
}
