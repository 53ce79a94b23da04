/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The action that stops the unit which a process is in. */
#include <errno.h>
#include <string.h>

#include "daemon/kernel/kernel.h"
#include "daemon/ladder/internal.h"
#include "daemon/ladder/units.h"
#include "lib/escape.h"

/* uoss: id, job, unit, result */
static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct action *a = userdata;
	const char *job, *result;

	if (!action_is_systemd(a, m) ||
	    sd_bus_message_read(m, "uoss", NULL, &job, NULL, &result) < 0 ||
	    strcmp(job, a->job) != 0)
		return 0;
	if (strcmp(result, "done") == 0)
		action_finish(a, 0, "%s was stopped", a->unit);
	else
		action_finish(a, -EIO, "stopping %s ended as: %s", a->unit, result);
	return 0;
}

static int on_stop(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	action_take_job(userdata, m, -EIO, "systemd does not stop the unit");
	return 0;
}

/* Whether all that is in the unit was selected; if not, the action is over. */
static bool may_stop(struct action *a, const char *unit)
{
	_cleanup_(freep) char *cgroup = NULL, *named = NULL, *refused = NULL;
	unsigned int looked;
	int r;

	(void)procfs_read_cgroup(a->actions->proc_fd, a->pid, &cgroup);
	named = cgroup_unit(cgroup);
	if (named && strcmp(named, unit) != 0) {
		action_finish(a, -EPERM, "%s is not stopped: the process's cgroup is another "
			      "unit's", a->unit);
		return false;
	}
	r = stop_refused(a->actions, cgroup, a->selected, &looked, &refused);
	if (r < 0)
		action_finish(a, r, "out of memory");
	else if (refused)
		action_finish(a, -EPERM, "%s is not stopped: %s", a->unit, refused);
	return !a->over;
}

/* The unit was found by the process: still it is that process's, or nobody's. */
static void stop_unit(struct action *a, const char *unit)
{
	_cleanup_(freep) char *own = process_unit(a->actions->proc_fd, getpid());
	const char *why = unit_protected(unit);
	int r;

	if (!why && own && strcmp(own, unit) == 0)
		why = "it is pinguard's own";
	a->unit = escape_text(unit);
	if (!a->unit)
		return action_finish(a, -ENOMEM, "out of memory");
	if (why)
		return action_finish(a, -EPERM, "%s is protected: %s", a->unit, why);
	if (!may_stop(a, unit))
		return;
	if (!pidfd_is_alive(a->pidfd))
		return action_finish(a, -ESRCH, "the process is gone");
	/* in this order: the signal may be there as soon as the answer is */
	r = sd_bus_match_signal_async(a->actions->bus, &a->match, SYSTEMD_NAME, SYSTEMD_PATH,
				      SYSTEMD_MANAGER, "JobRemoved", on_job_removed, NULL, a);
	if (r >= 0)
		r = sd_bus_call_method_async(a->actions->bus, &a->call, SYSTEMD_NAME, SYSTEMD_PATH,
					     SYSTEMD_MANAGER, "StopUnit", on_stop, a, "ss", unit,
					     "replace");
	if (r < 0)
		action_finish(a, r, "systemd cannot be asked: %s", strerror(-r));
}

static int on_unit_by_pid(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct action *a = userdata;
	_cleanup_(freep) char *unit = NULL;
	const char *path;

	a->call = sd_bus_slot_unref(a->call);
	if (sd_bus_message_is_method_error(m, NULL))
		action_finish_bus(a, -ENOENT, "systemd knows no unit of the process", m);
	else if (sd_bus_message_read(m, "o", &path) < 0 ||
		 sd_bus_path_decode(path, UNIT_PATH_PREFIX, &unit) <= 0)
		action_finish(a, -EBADMSG, "systemd's answer cannot be read");
	else
		stop_unit(a, unit);
	return 0;
}

/* osay: path, name, invocation */
static int on_unit_by_pidfd(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct action *a = userdata;
	const char *unit;
	int r;

	a->call = sd_bus_slot_unref(a->call);
	if (!sd_bus_message_is_method_error(m, NULL)) {
		if (sd_bus_message_read(m, "os", NULL, &unit) < 0)
			action_finish(a, -EBADMSG, "systemd's answer cannot be read");
		else
			stop_unit(a, unit);
		return 0;
	}
	if (!sd_bus_message_is_method_error(m, SD_BUS_ERROR_UNKNOWN_METHOD)) {
		action_finish_bus(a, -ENOENT, "systemd knows no unit of the process", m);
		return 0;
	}
	/* before systemd 254 */
	r = sd_bus_call_method_async(a->actions->bus, &a->call, SYSTEMD_NAME, SYSTEMD_PATH,
				     SYSTEMD_MANAGER, "GetUnitByPID", on_unit_by_pid, a, "u",
				     (uint32_t)a->pid);
	if (r < 0)
		action_finish(a, r, "systemd cannot be asked: %s", strerror(-r));
	return 0;
}

static int ask_unit(struct action *a)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	sd_bus *bus;
	int r;

	r = actions_bus(a->actions, &bus);
	if (r < 0 ||
	    (r = sd_bus_message_new_method_call(bus, &m, SYSTEMD_NAME, SYSTEMD_PATH,
						SYSTEMD_MANAGER, "GetUnitByPIDFD")) < 0 ||
	    (r = sd_bus_message_append(m, "h", a->pidfd)) < 0)
		return r;
	return action_call(a, m, on_unit_by_pidfd);
}

int action_stop_unit(struct actions *actions, int pidfd, const char *selected, action_done done,
		     void *userdata, struct action **ret)
{
	_cleanup_(action_freep) struct action *a = NULL;
	int r;

	r = action_new(actions, done, userdata, &a);
	if (r < 0)
		return r;
	if (selected && !(a->selected = strdup(selected)))
		return -ENOMEM;
	if (action_process(a, pidfd, unit_protected)) {
		r = ask_unit(a);
		if (r < 0)
			action_finish(a, -EOPNOTSUPP, "no connection to systemd: %s", strerror(-r));
	}
	*ret = TAKE_PTR(a);
	return 0;
}
