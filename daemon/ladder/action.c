/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Actions: their beginning, the process that they act on, and their end. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <utlist.h>

#include "daemon/ladder/internal.h"
#include "daemon/ladder/units.h"

int actions_new(sd_event *event, const char *cgroup_mount, struct actions **ret)
{
	struct actions *actions = calloc(1, sizeof(*actions));

	if (!actions)
		return -ENOMEM;
	actions->event = sd_event_ref(event);
	actions->proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	actions->cgroup_fd = cgroup_mount ?
		open(cgroup_mount, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	*ret = actions;
	return 0;
}

struct actions *actions_free(struct actions *actions)
{
	if (!actions)
		return NULL;
	sd_bus_slot_unref(actions->connected);
	sd_bus_slot_unref(actions->disconnected);
	sd_bus_slot_unref(actions->renamed);
	sd_bus_close_unref(actions->bus);
	sd_event_unref(actions->event);
	closep(&actions->proc_fd);
	closep(&actions->cgroup_fd);
	free(actions);
	return NULL;
}

static void drop_waits(struct action *a)
{
	a->source = sd_event_source_disable_unref(a->source);
	a->unsent = sd_bus_message_unref(a->unsent);
	a->call = sd_bus_slot_unref(a->call);
	a->match = sd_bus_slot_unref(a->match);
	a->on_bus = false;
}

int action_new(struct actions *actions, action_done done, void *userdata, struct action **ret)
{
	struct action *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->actions = actions;
	a->done = done;
	a->userdata = userdata;
	a->pidfd = -1;
	DL_APPEND(actions->list, a);
	if (++actions->n > ACTIONS_MAX)
		action_finish(a, -EBUSY, "too many are under way");
	*ret = a;
	return 0;
}

/* Its answer and its errors are of no interest. */
static void call_unit(struct actions *actions, const char *method, const char *unit)
{
	bool with_mode = strcmp(method, "StopUnit") == 0;

	if (!actions->bus || sd_bus_is_open(actions->bus) <= 0)
		return;
	/* Nothing is left to be done where it fails: its time limit ends a hook, too. */
	(void)sd_bus_call_method_async(actions->bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH,
				       SYSTEMD_MANAGER, method, NULL, NULL, with_mode ? "ss" : "s",
				       unit, "replace");
}

struct action *action_free(struct action *a)
{
	if (!a)
		return NULL;
	if (a->is_hook && !a->unsent) {
		if (!a->over)
			call_unit(a->actions, "StopUnit", a->unit);
		call_unit(a->actions, "UnrefUnit", a->unit);
	}
	drop_waits(a);
	DL_DELETE(a->actions->list, a);
	a->actions->n--;
	if (a->pidfd >= 0)
		close(a->pidfd);
	free(a->unit);
	free(a->job);
	free(a->systemd);
	free(a->selected);
	free(a->text);
	free(a);
	return NULL;
}

static int on_finished(sd_event_source *source, void *userdata)
{
	struct action *a = userdata;

	/* may free it */
	a->done(a, a->error, a->text, a->userdata);
	return 0;
}

void action_finish(struct action *a, int error, const char *format, ...)
{
	va_list ap;

	if (a->over)
		return;
	drop_waits(a);
	a->over = true;
	a->error = error;
	va_start(ap, format);
	if (vasprintf(&a->text, format, ap) < 0)
		a->text = NULL;
	va_end(ap);
	/* Without memory for this the owner's own deadline ends the step. */
	if (sd_event_add_defer(a->actions->event, &a->source, on_finished, a) >= 0)
		(void)sd_event_source_set_description(a->source, "action-finished");
}

bool pidfd_is_alive(int pidfd)
{
	return pidfd_send_signal(pidfd, 0, NULL, 0) >= 0 || errno == EPERM;
}

/* -ESRCH: of a process that has been waited for. */
static int pidfd_get_pid(int pidfd, pid_t *ret)
{
	char path[64], line[128];
	int pid, r = -ESRCH;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	f = fopen(path, "re");
	if (!f)
		return errno == ENOENT ? -EBADF : -errno;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Pid: %d", &pid) == 1 && pid > 0) {
			*ret = pid;
			r = 0;
		}
	}
	fclose(f);
	return r;
}

bool action_process(struct action *a, int pidfd, const char *(*protected)(const char *unit))
{
	_cleanup_(freep) char *unit = NULL;
	const char *why;
	int r;

	if (a->over)
		return false;
	r = pidfd_get_pid(pidfd, &a->pid);
	a->pidfd = r < 0 ? -1 : fcntl(pidfd, F_DUPFD_CLOEXEC, 3);
	if (r >= 0 && a->pidfd < 0)
		r = -errno;
	if (r >= 0)
		unit = process_unit(a->actions->proc_fd, a->pid);
	/* From here on it is known that the number, and its unit, were of this process. */
	if (r == -ESRCH || (r >= 0 && !pidfd_is_alive(pidfd)))
		action_finish(a, -ESRCH, "the process is gone");
	else if (r < 0)
		action_finish(a, r, "the process cannot be told from its descriptor: %s",
			      strerror(-r));
	else if (a->pid == 1 || a->pid == getpid())
		action_finish(a, -EPERM, "process %d is protected", a->pid);
	else if (unit && (why = protected(unit)))
		action_finish(a, -EPERM, "%s is protected: %s", unit, why);
	return !a->over;
}
