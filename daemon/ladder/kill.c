/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The action that needs no systemd: a process is killed. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>

#include "daemon/ladder/internal.h"
#include "daemon/ladder/units.h"

static int on_exited(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct action *a = userdata;

	action_finish(a, 0, "process %d has ended", a->pid);
	return 0;
}

int action_kill(struct actions *actions, int pidfd, action_done done, void *userdata,
		struct action **ret)
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
		if (pidfd_send_signal(a->pidfd, SIGKILL, NULL, 0) < 0)
			action_finish(a, -errno, "process %d cannot be killed: %s", a->pid,
				      strerror(errno));
	}
	*ret = TAKE_PTR(a);
	return 0;
}
